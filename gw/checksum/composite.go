package checksum

import "errors"

// Errors of Compose and Combine. They speak of a caller's or a record's mistake,
// not of a client's, so they carry no S3 code.
var (
	ErrParts     = errors.New("checksum: no parts, too many of them, or of another algorithm")
	ErrAlgorithm = errors.New("checksum: the algorithm has no checksum of this type")
)

// Compose returns the composite checksum of a multipart object: the checksum of
// the concatenated raw checksums of its parts, in order, which prints with the
// number of parts behind a dash.
func Compose(a Algorithm, parts []Value) (Value, error) {
	if !a.Allows(Composite) {
		return Value{}, ErrAlgorithm
	}
	if len(parts) == 0 || len(parts) > MaxParts {
		return Value{}, ErrParts
	}
	h := a.New()
	for i := range parts {
		p := &parts[i]
		if p.algorithm != a || p.parts != 0 {
			return Value{}, ErrParts
		}
		_, _ = h.Write(p.sum[:a.Size()]) // a hash never fails
	}
	v := Sum(a, h)
	v.parts = len(parts)
	return v, nil
}
