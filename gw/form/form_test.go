package form

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"holdfast/gw/s3api"
)

// body makes a form of fields, name and value, the last of which is the file.
func body(t testing.TB, boundary string, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if err := w.WriteField(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func codeOf(err error) s3api.Code {
	if err == nil {
		return ""
	}
	return s3api.AsError(err).Code
}

func TestBoundary(t *testing.T) {
	for _, tt := range []struct {
		contentType, want string
		code              s3api.Code
	}{
		{"multipart/form-data; boundary=abc", "abc", ""},
		{`Multipart/Form-Data; charset=utf-8; boundary="a b"`, "a b", ""},
		{"multipart/form-data", "", s3api.MalformedPOSTRequest},
		{"multipart/form-data; boundary=" + strings.Repeat("a", 71), "", s3api.MalformedPOSTRequest},
		{"multipart/mixed; boundary=abc", "", s3api.PreconditionFailed},
		{"", "", s3api.PreconditionFailed},
	} {
		if got, err := Boundary(tt.contentType); got != tt.want || codeOf(err) != tt.code {
			t.Errorf("%s: got %q, %v", tt.contentType, got, err)
		}
	}
}

func TestOpen(t *testing.T) {
	data := body(t, "b", "Key", "k", "x-amz-meta-A", "1", "file", "content", "acl", "ignored")
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(data), "byte by byte": iotest.OneByteReader(bytes.NewReader(data))} {
		f, err := Open(r, "b")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := io.ReadAll(f.File)
		if err != nil || string(got) != "content" || len(f.Fields) != 2 || f.Named {
			t.Errorf("%s: got %q, %+v, %v", name, got, f.Fields, err)
		}
		if v, ok := f.Get("KEY"); !ok || v != "k" {
			t.Errorf("%s: got %q, %t", name, v, ok)
		}
		if h := f.Header(); h.Get("X-Amz-Meta-A") != "1" || len(h) != 1 {
			t.Errorf("%s: got %v", name, h)
		}
	}
	// However the form is cut, what was read is never taken for the whole file.
	for n := range len(data) {
		f, err := Open(bytes.NewReader(data[:n]), "b")
		if err == nil {
			_, err = io.Copy(io.Discard, f.File)
		}
		inFile := n < bytes.Index(data, []byte("content"))+len("content\r\n--b")
		if (err == nil) == inFile || err != nil && codeOf(err) != s3api.MalformedPOSTRequest && codeOf(err) != s3api.InvalidArgument {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	broken := errors.New("broken")
	if _, err := Open(io.MultiReader(bytes.NewReader(data[:20]), iotest.ErrReader(broken)), "b"); !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

func TestBounds(t *testing.T) {
	for _, tt := range []struct {
		name string
		data []byte
		code s3api.Code
	}{
		{"a long value", body(t, "b", "a", strings.Repeat("x", MaxFields), "file", ""), s3api.MaxPostPreDataLengthExceeded},
		{"an endless value", body(t, "b", "a", strings.Repeat("x", 1<<20), "file", ""), s3api.MaxPostPreDataLengthExceeded},
		{"as much as may be", body(t, "b", "a", strings.Repeat("x", MaxFields-1), "file", ""), ""},
		{"an endless preamble", []byte(strings.Repeat("x", 1<<20) + "--b"), s3api.MalformedPOSTRequest},
		{"an endless part header", []byte("--b\r\nA: " + strings.Repeat("x", 1<<20)), s3api.MaxPostPreDataLengthExceeded},
		{"the same field twice", body(t, "b", "key", "a", "KEY", "b", "file", ""), s3api.InvalidArgument},
	} {
		if _, err := Open(bytes.NewReader(tt.data), "b"); codeOf(err) != tt.code {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.code)
		}
	}
	for _, tt := range []struct {
		size int
		code s3api.Code
	}{{4, s3api.EntityTooSmall}, {5, ""}, {10, ""}, {11, s3api.EntityTooLarge}, {1 << 20, s3api.EntityTooLarge}} {
		f, err := Open(bytes.NewReader(body(t, "b", "file", strings.Repeat("x", tt.size))), "b")
		if err != nil {
			t.Fatal(err)
		}
		f.Bound(5, 10)
		if n, err := io.Copy(io.Discard, f.File); codeOf(err) != tt.code || n > 10 {
			t.Errorf("%d: got %d, %v, want %v", tt.size, n, err, tt.code)
		}
	}
}

// TestPolicyFar checks the edges of a policy that the suite of the gateway does not.
func TestPolicyFar(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		expiration string
		ok         bool
	}{{"2026-01-02T03:04:05Z", false}, {"2026-01-02T03:04:05.001Z", true}, {"2026-01-02T03:04:06Z", true}, {"2026-01-02T03:04:04Z", false}} {
		p, err := ParsePolicy(base64.StdEncoding.EncodeToString([]byte(`{"expiration":"` + tt.expiration + `","conditions":[{"bucket":"b"}]}`)))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Check(&Form{}, "b", "k", now); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.expiration, err)
		}
	}
	p, err := ParsePolicy(base64.StdEncoding.EncodeToString([]byte(
		`{"expiration":"2027-01-02T03:04:05Z","conditions":[["content-length-range",5,100],["content-length-range",1,"10"]]}`)))
	if err != nil {
		t.Fatal(err)
	}
	if least, most := p.Range(50); least != 5 || most != 10 {
		t.Errorf("got %d to %d, want 5 to 10", least, most)
	}
	if _, err := ParsePolicy("%"); codeOf(err) != s3api.InvalidPolicyDocument {
		t.Errorf("got %v", err)
	}
}

// FuzzOpen: no form makes the reader panic or keep more than the bound, and a file that ends well was ended by the boundary.
func FuzzOpen(f *testing.F) {
	f.Add(body(f, "b", "key", "k", "file", "content"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a/b\"\r\n\r\nx\r\n--b--"))
	f.Fuzz(func(t *testing.T, data []byte) {
		form, err := Open(bytes.NewReader(data), "b")
		if err != nil {
			if codeOf(err) == s3api.InternalError {
				t.Errorf("%q: %v", data, err)
			}
			return
		}
		size := 0
		for _, field := range form.Fields {
			size += len(field.Name) + len(field.Value)
		}
		n, err := io.Copy(io.Discard, form.File)
		if size > MaxFields || err == nil && int(n) > len(data)-len("\n--b") {
			t.Errorf("%q: %d bytes of fields, a file of %d bytes, %v", data, size, n, err)
		}
		_, _ = form.Key()
	})
}

// FuzzPolicy: no document makes the parser or the check panic, and whatever is refused is refused with an S3 error.
func FuzzPolicy(f *testing.F) {
	f.Add(`{"expiration":"2027-01-02T03:04:05Z","conditions":[{"bucket":"b"},["eq","$key","k"],["content-length-range",0,"1"]]}`)
	f.Add(`{"expiration":"2027-01-02T03:04:05Z","conditions":[[],{},1]}`)
	f.Fuzz(func(t *testing.T, doc string) {
		p, err := ParsePolicy(base64.StdEncoding.EncodeToString([]byte(doc)))
		if err == nil {
			err = p.Check(&Form{Fields: []Field{{"key", "k"}}}, "b", "k", time.Unix(0, 0))
			p.Range(1)
		}
		if err != nil && codeOf(err) != s3api.InvalidPolicyDocument && codeOf(err) != s3api.AccessDenied {
			t.Errorf("%q: %v", doc, err)
		}
	})
}
