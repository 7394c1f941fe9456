package s3api

import (
	"strconv"
	"unicode/utf8"
)

// xmlNamespace is the namespace of every success document; error documents have none.
const xmlNamespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// textAction says what appendText does at a byte: 0 copies it, the others need a look.
var textAction = makeTextAction()

func makeTextAction() (table [256]bool) {
	for b := range table {
		table[b] = b < 0x20 || b >= utf8.RuneSelf
	}
	for _, b := range `&<>"'` {
		table[b] = true
	}
	return table
}

// appendText appends s as XML character data.
//
// Characters that XML 1.0 cannot hold at all (U+0000 to U+001F other than tab, LF and CR; U+FFFE; U+FFFF) are legal in keys.
// They are written as numeric references (&#x1;), as S3 does. A strict XML 1.0 parser then refuses the document, which is
// the point: replacing the character, as encoding/xml does with U+FFFD, would name a key that does not exist, and a
// tool that syncs or deletes by such a name does damage quietly. Clients that need such keys ask for
// encoding-type=url, as boto3 and awscli always do. Tab, LF and CR are references too, because parsers
// normalise the raw characters. Bytes that are not UTF-8 become U+FFFD; keys and prefixes never hold any.
func appendText(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		b := s[i]
		if !textAction[b] {
			i++
			continue
		}
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if (r != utf8.RuneError || size > 1) && r != 0xFFFE && r != 0xFFFF {
				i += size
				continue
			}
			dst = append(dst, s[start:i]...)
			if size == 1 {
				dst = append(dst, "\uFFFD"...)
			} else {
				dst = appendReference(dst, r)
			}
			i += size
			start = i
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, b)
		i++
		start = i
	}
	return append(dst, s[start:]...)
}

func appendEscape(dst []byte, b byte) []byte {
	switch b {
	case '&':
		return append(dst, "&amp;"...)
	case '<':
		return append(dst, "&lt;"...)
	case '>':
		return append(dst, "&gt;"...)
	case '"':
		return append(dst, "&quot;"...)
	case '\'':
		return append(dst, "&apos;"...)
	}
	return appendReference(dst, rune(b))
}

func appendReference(dst []byte, r rune) []byte {
	dst = append(dst, "&#x"...)
	dst = strconv.AppendUint(dst, uint64(r), 16)
	return append(dst, ';')
}

func appendOpen(dst []byte, name string) []byte {
	dst = append(dst, '<')
	dst = append(dst, name...)
	return append(dst, '>')
}

func appendClose(dst []byte, name string) []byte {
	dst = append(dst, "</"...)
	dst = append(dst, name...)
	return append(dst, '>')
}

// appendRoot starts a success document.
func appendRoot(dst []byte, name string) []byte {
	dst = append(dst, xmlHeader...)
	dst = append(dst, '<')
	dst = append(dst, name...)
	dst = append(dst, ` xmlns="`...)
	dst = append(dst, xmlNamespace...)
	return append(dst, `">`...)
}

func appendElement(dst []byte, name, text string) []byte {
	dst = appendOpen(dst, name)
	dst = appendText(dst, text)
	return appendClose(dst, name)
}

// appendOptional writes the element unless text is empty.
func appendOptional(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	return appendElement(dst, name, text)
}

func appendInt(dst []byte, name string, n int64) []byte {
	dst = appendOpen(dst, name)
	dst = strconv.AppendInt(dst, n, 10)
	return appendClose(dst, name)
}

func appendBool(dst []byte, name string, v bool) []byte {
	dst = appendOpen(dst, name)
	dst = strconv.AppendBool(dst, v)
	return appendClose(dst, name)
}

// appendETag writes the ETag element; etag is without its quotes.
func appendETag(dst []byte, etag string) []byte {
	dst = append(dst, "<ETag>&quot;"...)
	dst = appendText(dst, etag)
	return append(dst, "&quot;</ETag>"...)
}
