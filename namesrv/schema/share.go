package schema

// Share is the record of a server's share of a bucket's quota.
type Share struct {
	Bytes int64
	Epoch uint64 // of the bucket's record that it was taken from
}

// AppendShare appends the value of a share.
func AppendShare(b []byte, s *Share) []byte {
	b = append(b, formTagged)
	b = appendUintField(b, 1, uint64(s.Bytes))
	return appendUintField(b, 2, s.Epoch)
}

// DecodeShare reads a share.
func DecodeShare(v []byte) (s Share, err error) {
	r := reader{b: v}
	if r.byte() != formTagged {
		return s, errFormat
	}
	for {
		tag, body, ok := r.field()
		if !ok {
			break
		}
		switch tag {
		case 1:
			s.Bytes = body.size()
		case 2:
			s.Epoch = body.uvarint()
		}
		r.bad = r.bad || body.bad
	}
	return s, r.err()
}
