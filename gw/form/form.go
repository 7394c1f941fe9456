package form

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"holdfast/gw/s3api"
)

// MaxFields bounds the names and values of the fields before the file, in bytes, as S3 does.
const MaxFields = 20 << 10

// maxPrelude bounds everything before the file as it is sent: the fields with their part headers and boundaries.
const maxPrelude = 16 * MaxFields

// Field is a field of a form, with its name as sent.
type Field struct{ Name, Value string }

// Form is a form whose fields were read; the file is still to be.
type Form struct {
	// Fields are those before the file, in their order; what comes behind the file is ignored.
	Fields []Field
	// File reads the content of the file. Its end is io.EOF only if the form goes on or ends as it should.
	File io.Reader
	// FileName is how the client calls the file, without directories; Named says whether it calls it anything.
	FileName string
	Named    bool
}

// Boundary returns the boundary of a body with this Content-Type. One that is no form at all is PreconditionFailed, as S3 answers
// it, a form without a boundary MalformedPOSTRequest.
func Boundary(contentType string) (string, error) {
	media, params, err := mime.ParseMediaType(contentType)
	if media != "multipart/form-data" {
		return "", s3api.FailedCondition("Bucket POST must be of the enclosure-type multipart/form-data").WithCause(err)
	}
	if boundary := params["boundary"]; err == nil && boundary != "" && len(boundary) <= 70 { // RFC 2046 section 5.1.1
		return boundary, nil
	}
	return "", malformed(err)
}

// Open reads the fields of a form up to its file, which is the part named "file". Two fields of one name are refused: two readers might
// choose differently.
func Open(body io.Reader, boundary string) (*Form, error) {
	prelude := &limited{r: body, left: maxPrelude}
	parts := multipart.NewReader(prelude, boundary)
	f := &Form{}
	seen := make(map[string]bool)
	size := 0
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return nil, broken(prelude.cause(err))
		}
		name := part.FormName()
		lower := strings.ToLower(name)
		if lower == "file" {
			prelude.left = -1
			f.File = fileReader{part}
			f.FileName, f.Named = fileName(part.Header.Get("Content-Disposition"))
			return f, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, int64(MaxFields-size+1)))
		if err != nil {
			return nil, broken(prelude.cause(err))
		}
		if size += len(name) + len(value); size > MaxFields {
			return nil, tooLong()
		}
		if seen[lower] {
			return nil, s3api.BadArgument(name, string(value), "Bucket POST must contain a field named '"+name+"' only once.")
		}
		seen[lower] = true
		f.Fields = append(f.Fields, Field{Name: name, Value: string(value)})
	}
}

// Get returns the value of a field, whatever the case of its name.
func (f *Form) Get(name string) (string, bool) {
	for _, field := range f.Fields {
		if strings.EqualFold(field.Name, name) {
			return field.Value, true
		}
	}
	return "", false
}

// Need is Get for a field that must be there.
func (f *Form) Need(name string) (string, error) {
	if value, ok := f.Get(name); ok {
		return value, nil
	}
	return "", s3api.BadArgument(name, "", "Bucket POST must contain a field named '"+name+
		"'.  If it is specified, please check the order of the fields.")
}

// fileNameVariable is what the name of the file is put in place of, in the key.
const fileNameVariable = "${filename}"

// Key returns the key that the form names. Where the client does not say how the file is called, the variable stays, as in S3.
func (f *Form) Key() (string, error) {
	key, err := f.Need("key")
	if err != nil {
		return "", err
	}
	if f.Named {
		key = strings.ReplaceAll(key, fileNameVariable, f.FileName)
	}
	if key == "" {
		return "", s3api.E(s3api.UserKeyMustBeSpecified)
	}
	return key, s3api.CheckKey(key)
}

// fileName reads the filename parameter; browsers of old sent the whole path.
func fileName(disposition string) (string, bool) {
	_, params, err := mime.ParseMediaType(disposition)
	name, ok := params["filename"]
	if err != nil || !ok {
		return "", false
	}
	return name[strings.LastIndexAny(name, `/\`)+1:], true
}

// fileReader reads the content of the file part and says what is wrong with the form around it.
type fileReader struct{ part *multipart.Part }

// Read implements [io.Reader].
func (f fileReader) Read(p []byte) (int, error) {
	n, err := f.part.Read(p)
	if err != nil && err != io.EOF {
		err = broken(err)
	}
	return n, err
}

// Bound makes the file fail if it is shorter or longer than that, in bytes.
func (f *Form) Bound(least, most int64) { f.File = &bounded{r: f.File, least: least, most: most} }

// bounded reads a file whose length is bounded.
type bounded struct {
	r                 io.Reader
	read, least, most int64
}

// maxOverrun is how much of a file that is too large is read on, to tell its size.
const maxOverrun = 64 << 10

// Read implements [io.Reader].
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.read += int64(n)
	switch {
	case b.read > b.most:
		more, _ := io.Copy(io.Discard, io.LimitReader(b.r, maxOverrun)) // whatever comes: the file is refused
		return 0, s3api.TooLarge(b.read+more, b.most)
	case err == io.EOF && b.read < b.least:
		return 0, s3api.E(s3api.EntityTooSmall).With("ProposedSize", strconv.FormatInt(b.read, 10)).
			With("MinSizeAllowed", strconv.FormatInt(b.least, 10))
	}
	return n, err
}

// broken is the answer to an error of the parser: the reader's own errors pass, for they say more.
func broken(err error) error {
	var already *s3api.Error
	switch {
	case errors.As(err, &already):
		return already
	case err == io.EOF: // the form ended well, without a file
		return s3api.BadArgument("file", "0", "POST requires exactly one file upload per request.")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, multipart.ErrMessageTooLarge), errors.Is(err, bufio.ErrBufferFull), isParserError(err):
		return malformed(nil) // without the cause: an end of file in the chain would be taken for that of the body
	}
	return err
}

// isParserError reports whether the parser itself complains: its errors have no types, and wrap none but the reader's.
func isParserError(err error) bool {
	text := err.Error()
	return errors.Unwrap(err) == nil && strings.HasPrefix(text, "multipart: ") || strings.HasPrefix(text, "malformed MIME header")
}

func malformed(cause error) error { return s3api.E(s3api.MalformedPOSTRequest).WithCause(cause) }

func tooLong() error {
	return s3api.E(s3api.MaxPostPreDataLengthExceeded).With("MaxPostPreDataLengthBytes", strconv.Itoa(MaxFields))
}

// limited bounds what the parser reads before the file.
type limited struct {
	r    io.Reader
	left int   // bytes; negative: no bound any more
	err  error // of the reader, for the parser may lose it
}

// cause returns why reading failed, if it did, instead of what the parser made of that.
func (l *limited) cause(err error) error {
	if l.err != nil && l.err != io.EOF {
		return l.err
	}
	return err
}

// Read implements [io.Reader].
func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return l.r.Read(p)
	}
	if l.left == 0 {
		l.err = tooLong()
		return 0, l.err
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	l.err = err
	return n, err
}

// headerFields are the fields that mean what the header of a PutObject of the same name means.
var headerFields = map[string]bool{
	"acl": true, "content-type": true, "cache-control": true, "content-disposition": true, "content-encoding": true,
	"content-language": true, "expires": true, "content-md5": true,
}

// Header returns the fields as the headers that a PutObject would have carried; tagging is left to the caller.
func (f *Form) Header() http.Header {
	h := make(http.Header)
	for _, field := range f.Fields {
		name := strings.ToLower(field.Name)
		switch {
		case authField(name):
			continue
		case name == "acl":
			name = "x-amz-acl"
		case !headerFields[name] && !strings.HasPrefix(name, "x-amz-"):
			continue
		}
		h.Set(name, field.Value)
	}
	return h
}

// authField reports whether a field, in lower case, is part of the signature.
func authField(name string) bool {
	switch name {
	case "x-amz-signature", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "signature", "awsaccesskeyid", "policy":
		return true
	}
	return false
}
