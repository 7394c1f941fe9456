package s3api

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// Bounds of request documents, in bytes. The two lists hold their largest legal content with room for attributes and
// escapes: 10,000 parts with checksums, and 1,000 keys of 1024 bytes each written as references.
const (
	MaxCompleteBody     = 8 << 20
	MaxDeleteBody       = 8 << 20
	MaxCreateBucketBody = 64 << 10
	MaxConfigBody       = 1 << 20
)

// MaxDeleteKeys bounds the objects of one DeleteObjects request.
const MaxDeleteKeys = 1000

// MaxBody returns the bound in bytes on the body of the operation's XML document.
func MaxBody(op Op) int64 {
	switch op {
	case OpCompleteMultipartUpload:
		return MaxCompleteBody
	case OpDeleteObjects:
		return MaxDeleteBody
	case OpCreateBucket:
		return MaxCreateBucketBody
	}
	return MaxConfigBody
}

// ReadBody reads a request document of at most limit bytes. A longer one is MaxMessageLengthExceeded, a body that ends early
// IncompleteBody; an S3 error that the reader itself gives (a bad chunk signature, say) is returned as it is.
func ReadBody(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			return nil, err
		}
		return nil, E(IncompleteBody).WithCause(err)
	}
	if int64(len(body)) > limit {
		return nil, E(MaxMessageLengthExceeded).With("MaxMessageLengthBytes", strconv.FormatInt(limit, 10))
	}
	return body, nil
}

// decodeRoot reads the document's root element, gives each child's local name to field, which must consume the child, and
// checks that nothing follows. Errors of the document become MalformedXML; S3 errors of field pass.
func decodeRoot(body []byte, root string, field func(s *scanner, name string) error) error {
	s, err := begin(body, root)
	if err == nil {
		err = s.each(func(name string) error { return field(s, name) })
	}
	if err == nil {
		err = s.finish()
	}
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return E(MalformedXML).WithCause(err)
}

// each calls field for every child of the current element until its end.
func (s *scanner) each(field func(name string) error) error {
	for {
		name, err := s.child()
		if err != nil || name == "" {
			return err
		}
		if err := field(name); err != nil {
			return err
		}
	}
}

// once reads the text of an element that may come once; seen is the set of those that came.
func (s *scanner) once(seen *map[string]bool, name string, into *string) error {
	if *seen == nil {
		*seen = make(map[string]bool, 4)
	}
	if (*seen)[name] {
		return s.fail("repeated element " + name)
	}
	(*seen)[name] = true
	text, err := s.text()
	*into = text
	return err
}

// Checksum is one checksum of an object or part: the algorithm as S3 names it and the value in base64, with "-parts" behind it
// when composite.
type Checksum struct{ Algorithm, Value string }

// checksumAlgorithms are the algorithms of the API, each an element Checksum<name>.
var checksumAlgorithms = map[string]bool{
	"CRC32": true, "CRC32C": true, "CRC64NVME": true, "SHA1": true, "SHA256": true, "SHA512": true, "MD5": true,
	"XXHASH64": true, "XXHASH3": true, "XXHASH128": true,
}

// CompletedPart is one part of a Complete request: its number, its ETag without quotes and the checksums given.
type CompletedPart struct {
	Number    int
	ETag      string
	Checksums []Checksum
}

// DecodeCompleteMultipartUpload decodes the body of CompleteMultipartUpload: 1 to 10000 parts in ascending order of number.
// An empty body is InvalidRequest, no part or an incomplete one MalformedXML, a number out of 1 to 10000
// InvalidArgument, numbers not ascending InvalidPartOrder.
func DecodeCompleteMultipartUpload(body []byte) ([]CompletedPart, error) {
	if len(body) == 0 {
		return nil, E(InvalidRequest).WithMessage("You must specify at least one part")
	}
	var parts []CompletedPart
	ordered := true
	err := decodeRoot(body, "CompleteMultipartUpload", func(s *scanner, name string) error {
		if name != "Part" || len(parts) == MaxPartNumber {
			return s.fail("unexpected element " + name)
		}
		part, err := s.completedPart()
		if err != nil {
			return err
		}
		ordered = ordered && (len(parts) == 0 || part.Number > parts[len(parts)-1].Number)
		parts = append(parts, part)
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case len(parts) == 0:
		return nil, E(MalformedXML)
	case !ordered:
		return nil, E(InvalidPartOrder)
	}
	return parts, nil
}

func (s *scanner) completedPart() (CompletedPart, error) {
	var part CompletedPart
	var number, etag string
	var hasNumber, hasETag bool
	err := s.each(func(name string) error {
		text, err := s.text()
		if err != nil {
			return err
		}
		algorithm, isChecksum := strings.CutPrefix(name, "Checksum")
		switch {
		case name == "PartNumber" && !hasNumber:
			number, hasNumber = strings.TrimSpace(text), true
		case name == "ETag" && !hasETag:
			etag, hasETag = text, true
		case isChecksum && checksumAlgorithms[algorithm] && !hasChecksum(part.Checksums, algorithm):
			part.Checksums = append(part.Checksums, Checksum{algorithm, text})
		default:
			return s.fail("unexpected element " + name)
		}
		return nil
	})
	if err != nil {
		return CompletedPart{}, err
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || !hasETag {
		return CompletedPart{}, s.fail("part without number or ETag")
	}
	if n < 1 || n > MaxPartNumber {
		message := "PartNumber must be >= 1"
		if n > MaxPartNumber {
			message = "Part number must be an integer between 1 and 10000, inclusive"
		}
		return CompletedPart{}, BadArgument("PartNumber", number, message)
	}
	part.Number, part.ETag = int(n), TrimETag(etag)
	return part, nil
}

func hasChecksum(list []Checksum, algorithm string) bool {
	for _, c := range list {
		if c.Algorithm == algorithm {
			return true
		}
	}
	return false
}

// TrimETag removes space and the quotes around an ETag.
func TrimETag(etag string) string {
	etag = strings.TrimSpace(etag)
	if len(etag) >= 2 && etag[0] == '"' && etag[len(etag)-1] == '"' {
		return etag[1 : len(etag)-1]
	}
	return etag
}

// DeleteRequest is the body of DeleteObjects.
type DeleteRequest struct {
	Objects []DeleteObject
	Quiet   bool // report errors alone
}

// DeleteObject is one object to delete. The conditions are those of conditional deletes; nil or "" is none. ETag is without quotes.
type DeleteObject struct {
	Key          string
	VersionID    string
	ETag         string
	LastModified *time.Time
	Size         *int64
}

// DecodeDelete decodes the body of DeleteObjects: 1 to 1000 objects, else MalformedXML. Keys are checked one by one later, by
// [CheckKey], since a key that is too long fails alone; an empty key is MalformedXML (S3 calls it
// UserKeyMustBeSpecified, which needs the whole request refused too).
func DecodeDelete(body []byte) (DeleteRequest, error) {
	if len(body) == 0 {
		return DeleteRequest{}, E(MissingRequestBodyError)
	}
	var req DeleteRequest
	var seen map[string]bool
	err := decodeRoot(body, "Delete", func(s *scanner, name string) error {
		switch {
		case name == "Object" && len(req.Objects) < MaxDeleteKeys:
			object, err := s.deleteObject()
			req.Objects = append(req.Objects, object)
			return err
		case name == "Quiet":
			var text string
			if err := s.once(&seen, name, &text); err != nil {
				return err
			}
			quiet, ok := parseXMLBool(text)
			if !ok {
				return s.fail("Quiet is no boolean")
			}
			req.Quiet = quiet
			return nil
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && len(req.Objects) == 0 {
		err = E(MalformedXML)
	}
	if err != nil {
		return DeleteRequest{}, err
	}
	return req, nil
}

func (s *scanner) deleteObject() (DeleteObject, error) {
	var object DeleteObject
	err := s.each(func(name string) error {
		text, err := s.text()
		if err != nil {
			return err
		}
		switch {
		case name == "Key" && object.Key == "" && text != "":
			object.Key = text
		case name == "VersionId" && object.VersionID == "":
			object.VersionID = text
		case name == "ETag" && object.ETag == "":
			object.ETag = TrimETag(text)
		case name == "LastModifiedTime" && object.LastModified == nil:
			t, ok := parseXMLTime(text)
			if !ok {
				return s.fail("LastModifiedTime is no time")
			}
			object.LastModified = &t
		case name == "Size" && object.Size == nil:
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < 0 {
				return s.fail("Size is no size")
			}
			object.Size = &n
		default:
			return s.fail("unexpected element " + name)
		}
		return nil
	})
	if err == nil && object.Key == "" {
		err = s.fail("object without key")
	}
	return object, err
}

// parseXMLTime parses a time as SDKs write them: ISO 8601, or the date format of HTTP.
func parseXMLTime(text string) (time.Time, bool) {
	for _, layout := range [...]string{time.RFC3339Nano, time.RFC1123, time.RFC1123Z} {
		if t, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func parseXMLBool(text string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

// DecodeCreateBucket decodes the body of CreateBucket and returns the LocationConstraint; an empty body or element is "", the
// default region. Directory buckets (Location, Bucket) and tags at creation are NotImplemented.
func DecodeCreateBucket(body []byte) (location string, err error) {
	if len(body) == 0 {
		return "", nil
	}
	var seen map[string]bool
	err = decodeRoot(body, "CreateBucketConfiguration", func(s *scanner, name string) error {
		switch name {
		case "LocationConstraint":
			return s.once(&seen, name, &location)
		case "Location", "Bucket", "Tags":
			return E(NotImplemented).WithMessage("The " + name + " element of CreateBucketConfiguration is not implemented")
		}
		return s.fail("unexpected element " + name)
	})
	if err != nil {
		return "", err
	}
	return location, nil
}
