package s3api

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxXMLDepth bounds the nesting of a request document; the deepest of S3 (replication rules) has 8 levels.
const maxXMLDepth = 16

// scanner reads the XML that S3 requests are made of: elements, attributes (xsi:type alone means something), text, CDATA, comments and
// processing instructions, in UTF-8. Document type declarations are refused, so there are no entities but the five
// predefined ones and character references, and nothing expands. Namespaces are optional: prefixes are cut off, any
// namespace will do, as for S3. It works on a whole, bounded document and never recurses.
//
// Its one liberty: character references may name characters that XML 1.0 excludes (&#x1;). Keys may hold them, list answers
// write them so, and a client must be able to name such a key in a multi-delete.
type scanner struct {
	data  []byte
	pos   int
	stack []string // open elements as written, prefix included
	empty bool     // the innermost element was written <a/>: its end is still to be reported
	attrs []xmlAttribute
}

// xmlAttribute is an attribute of the start tag that was read last, by its local name.
type xmlAttribute struct{ name, value string }

// attr returns an attribute of the element that child returned just now, "" if it has none of that name.
func (s *scanner) attr(local string) string {
	for _, a := range s.attrs {
		if a.name == local {
			return a.value
		}
	}
	return ""
}

// errSyntax says where the document stops being XML.
type errSyntax struct {
	offset int
	what   string
}

func (e *errSyntax) Error() string { return fmt.Sprintf("xml: %s at byte %d", e.what, e.offset) }

func (s *scanner) fail(what string) error { return &errSyntax{s.pos, what} }

// begin reads the prolog and the start of the root element, whose local name must be root.
func begin(data []byte, root string) (*scanner, error) {
	s := &scanner{data: bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))}
	if !utf8.Valid(s.data) {
		return nil, s.fail("not UTF-8")
	}
	if err := s.declaration(); err != nil {
		return nil, err
	}
	name, err := s.child()
	if err != nil {
		return nil, err
	}
	if name != root {
		return nil, s.fail("unexpected root element")
	}
	return s, nil
}

// finish checks that nothing follows the root element but comments, instructions and space.
func (s *scanner) finish() error {
	name, err := s.child()
	if err == nil && name != "" {
		return s.fail("second root element")
	}
	if errors.Is(err, errEndOfDocument) {
		return nil
	}
	return err
}

var errEndOfDocument = errors.New("xml: the document ends")

// child returns the local name of the next child element, now open, or "" when the current element ends instead, now closed.
// Text other than white space between elements is an error.
func (s *scanner) child() (string, error) {
	if s.empty {
		s.pop()
		return "", nil
	}
	for {
		rest := s.data[s.pos:]
		lt := bytes.IndexByte(rest, '<')
		text := rest
		if lt >= 0 {
			text = rest[:lt]
		}
		if len(bytes.TrimLeft(text, " \t\r\n")) != 0 {
			return "", s.fail("text between elements")
		}
		s.pos += len(text)
		if lt < 0 {
			if len(s.stack) == 0 {
				return "", errEndOfDocument
			}
			return "", s.fail("end of document in an element")
		}
		switch skipped, err := s.skipMisc(); {
		case err != nil:
			return "", err
		case skipped:
			continue
		}
		if bytes.HasPrefix(s.data[s.pos:], []byte("</")) {
			return "", s.end()
		}
		return s.start()
	}
}

// text returns the character data of the current element and closes it. Child elements are an error.
func (s *scanner) text() (string, error) {
	if s.empty {
		s.pop()
		return "", nil
	}
	var b strings.Builder
	for {
		lt := bytes.IndexByte(s.data[s.pos:], '<')
		if lt < 0 {
			return "", s.fail("end of document in an element")
		}
		if err := s.appendText(&b, s.data[s.pos:s.pos+lt]); err != nil {
			return "", err
		}
		s.pos += lt
		rest := s.data[s.pos:]
		if cdata, ok := bytes.CutPrefix(rest, []byte("<![CDATA[")); ok {
			end := bytes.Index(cdata, []byte("]]>"))
			if end < 0 {
				return "", s.fail("unclosed CDATA")
			}
			if err := s.appendRaw(&b, cdata[:end]); err != nil {
				return "", err
			}
			s.pos += len("<![CDATA[") + end + len("]]>")
			continue
		}
		switch skipped, err := s.skipMisc(); {
		case err != nil:
			return "", err
		case skipped:
			continue
		}
		if !bytes.HasPrefix(rest, []byte("</")) {
			return "", s.fail("element in text")
		}
		if err := s.end(); err != nil {
			return "", err
		}
		return b.String(), nil
	}
}

// declaration skips <?xml ...?>, which may say no encoding but UTF-8.
func (s *scanner) declaration() error {
	decl, ok := bytes.CutPrefix(s.data, []byte("<?xml"))
	if !ok || len(decl) == 0 || !isSpace(decl[0]) {
		return nil
	}
	end := bytes.Index(decl, []byte("?>"))
	if end < 0 {
		return s.fail("unclosed declaration")
	}
	s.pos = len("<?xml") + end + len("?>")
	_, encoding, ok := bytes.Cut(decl[:end], []byte("encoding"))
	if !ok {
		return nil
	}
	encoding = bytes.Trim(encoding, " \t\r\n='\"")
	if i := bytes.IndexAny(encoding, " \t\r\n'\""); i >= 0 {
		encoding = encoding[:i]
	}
	if !strings.EqualFold(string(encoding), "UTF-8") {
		return s.fail("encoding other than UTF-8")
	}
	return nil
}

// skipMisc skips one comment or processing instruction at the position, which is at a '<', and refuses what must not be there.
func (s *scanner) skipMisc() (bool, error) {
	rest := s.data[s.pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		end := bytes.Index(rest[4:], []byte("--"))
		if end < 0 || 4+end+2 >= len(rest) || rest[4+end+2] != '>' {
			return false, s.fail("malformed comment")
		}
		s.pos += 4 + end + 3
		return true, nil
	case bytes.HasPrefix(rest, []byte("<?")):
		end := bytes.Index(rest, []byte("?>"))
		if end < 3 || !isNameStart(rest[2]) || len(rest) > 5 && strings.EqualFold(string(rest[2:5]), "xml") {
			return false, s.fail("malformed processing instruction")
		}
		s.pos += end + 2
		return true, nil
	case bytes.HasPrefix(rest, []byte("<!")):
		return false, s.fail("declaration") // DOCTYPE, or CDATA between elements
	}
	return false, nil
}

// start reads a start tag, opens the element and returns its local name.
func (s *scanner) start() (string, error) {
	if len(s.stack) == maxXMLDepth {
		return "", s.fail("nesting too deep")
	}
	s.pos++
	s.attrs = s.attrs[:0]
	name := s.name()
	local := name
	if prefix, rest, ok := strings.Cut(name, ":"); ok {
		if local = rest; prefix == "" || strings.Contains(rest, ":") {
			local = ""
		}
	}
	if local == "" || !isNameStart(local[0]) {
		return "", s.fail("malformed start tag")
	}
	for {
		spaced := s.space()
		switch rest := s.data[s.pos:]; {
		case bytes.HasPrefix(rest, []byte("/>")):
			s.pos += 2
			s.stack = append(s.stack, name)
			s.empty = true
			return local, nil
		case bytes.HasPrefix(rest, []byte(">")):
			s.pos++
			s.stack = append(s.stack, name)
			return local, nil
		case !spaced:
			return "", s.fail("malformed start tag")
		}
		if err := s.attribute(); err != nil {
			return "", err
		}
	}
}

// attribute reads name="value".
func (s *scanner) attribute() error {
	name := s.name()
	if name == "" || !isNameStart(name[0]) {
		return s.fail("malformed attribute")
	}
	s.space()
	if s.pos >= len(s.data) || s.data[s.pos] != '=' {
		return s.fail("malformed attribute")
	}
	s.pos++
	s.space()
	if s.pos >= len(s.data) || s.data[s.pos] != '"' && s.data[s.pos] != '\'' {
		return s.fail("malformed attribute")
	}
	quote := s.data[s.pos]
	end := bytes.IndexByte(s.data[s.pos+1:], quote)
	if end < 0 {
		return s.fail("unclosed attribute")
	}
	value := s.data[s.pos+1 : s.pos+1+end]
	if bytes.IndexByte(value, '<') >= 0 {
		return s.fail("malformed attribute")
	}
	var text strings.Builder
	if err := s.appendText(&text, value); err != nil {
		return err
	}
	s.pos += end + 2
	s.attrs = append(s.attrs, xmlAttribute{name[strings.IndexByte(name, ':')+1:], text.String()})
	return nil
}

// end reads an end tag, which must match, and closes the element.
func (s *scanner) end() error {
	s.pos += len("</")
	name := s.name()
	s.space()
	if s.pos >= len(s.data) || s.data[s.pos] != '>' {
		return s.fail("malformed end tag")
	}
	if len(s.stack) == 0 || s.stack[len(s.stack)-1] != name {
		return s.fail("mismatched end tag")
	}
	s.pos++
	s.pop()
	return nil
}

func (s *scanner) pop() {
	s.stack = s.stack[:len(s.stack)-1]
	s.empty = false
}

// appendText appends character data with its references resolved and its line ends normalised.
func (s *scanner) appendText(b *strings.Builder, text []byte) error {
	if bytes.Contains(text, []byte("]]>")) {
		return s.fail("]]> in text")
	}
	for {
		amp := bytes.IndexByte(text, '&')
		if amp < 0 {
			return s.appendRaw(b, text)
		}
		if err := s.appendRaw(b, text[:amp]); err != nil {
			return err
		}
		name, rest, ok := bytes.Cut(text[amp+1:], []byte(";"))
		r, known := reference(name)
		if !ok || !known {
			return s.fail("unknown reference")
		}
		b.WriteRune(r)
		text = rest
	}
}

// appendRaw appends text without references; CRLF and CR become LF (XML 1.0 section 2.11).
func (s *scanner) appendRaw(b *strings.Builder, text []byte) error {
	for i, c := range text {
		switch {
		case c == '\r':
			if i+1 == len(text) || text[i+1] != '\n' {
				b.WriteByte('\n')
			}
		case c < 0x20 && c != '\t' && c != '\n':
			return s.fail("control character")
		case c == 0xef && i+2 < len(text) && text[i+1] == 0xbf && text[i+2] >= 0xbe:
			return s.fail("not a character") // U+FFFE, U+FFFF
		default:
			b.WriteByte(c)
		}
	}
	return nil
}

// reference resolves the name between & and ;.
func reference(name []byte) (rune, bool) {
	switch string(name) {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, ok := bytes.CutPrefix(name, []byte("#"))
	base := 10
	if hex, isHex := bytes.CutPrefix(digits, []byte("x")); isHex {
		digits, base = hex, 16
	}
	if !ok || len(digits) == 0 || len(digits) > 8 || digits[0] == '+' || digits[0] == '-' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(digits), base, 32)
	if err != nil || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return 0, false
	}
	return rune(n), true
}

// name reads a run of name characters.
func (s *scanner) name() string {
	from := s.pos
	for s.pos < len(s.data) && isNameByte(s.data[s.pos]) {
		s.pos++
	}
	return string(s.data[from:s.pos])
}

// space skips white space and reports whether there was any.
func (s *scanner) space() bool {
	from := s.pos
	for s.pos < len(s.data) && isSpace(s.data[s.pos]) {
		s.pos++
	}
	return s.pos > from
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// isNameStart and isNameByte know ASCII names alone: S3's schema has no others.
func isNameStart(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

func isNameByte(c byte) bool {
	return isNameStart(c) || c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':'
}
