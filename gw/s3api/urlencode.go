package s3api

// Encoding is how keys and prefixes are written in a list answer.
type Encoding uint8

const (
	PlainEncoding Encoding = iota // as they are, in XML escapes
	URLEncoding                   // percent-encoded (encoding-type=url)
)

// urlKept is the bytes that URL encoding leaves alone: the unreserved characters of RFC 3986, and '/'. The live service keeps
// '/' too, and writes a space as '+' but a plus as %2B; we write a space as %20, which clients that decode as a form and
// clients that decode as a path both read as a space (and which the common conformance suites expect).
var urlKept = makeURLKept()

func makeURLKept() (kept [256]bool) {
	for b := range kept {
		kept[b] = b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
	}
	for _, b := range "-_.~/" {
		kept[b] = true
	}
	return kept
}

// AppendURLEncoded appends s percent-encoded as list answers have it under encoding-type=url. The result needs no XML escapes.
func AppendURLEncoded(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	start := 0
	for i := range len(s) {
		if b := s[i]; !urlKept[b] {
			dst = append(dst, s[start:i]...)
			dst = append(dst, '%', digits[b>>4], digits[b&15])
			start = i + 1
		}
	}
	return append(dst, s[start:]...)
}

// append writes s in the encoding, as XML text.
func (e Encoding) append(dst []byte, s string) []byte {
	if e == URLEncoding {
		return AppendURLEncoded(dst, s)
	}
	return appendText(dst, s)
}

func (e Encoding) appendElement(dst []byte, name, text string) []byte {
	dst = appendOpen(dst, name)
	dst = e.append(dst, text)
	return appendClose(dst, name)
}

func (e Encoding) appendOptional(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	return e.appendElement(dst, name, text)
}
