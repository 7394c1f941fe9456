package gw

import (
	"net/http"
	"strconv"

	"holdfast"
	"holdfast/gw/checksum"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// read is a parsed GetObject or HeadObject
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
type read struct {
	version    volume.Version
	conditions s3api.Conditions
	byteRange  s3api.RangeRequest
	part       int // 0: none asked for
	overrides  []s3api.Override
	checksum   bool // x-amz-checksum-mode: ENABLED
	open       opener
}

func (q *request) parseRead() (read, error) {
	h := q.r.Header
	get := read{
		conditions: s3api.ParseConditions(h, q.begun),
		byteRange:  s3api.ParseRange(h.Get("Range")),
	}
	switch mode := h.Get("X-Amz-Checksum-Mode"); mode {
	case "":
	case "ENABLED":
		get.checksum = true
	default:
		return read{}, s3api.E(s3api.InvalidRequest).WithMessage("Value for x-amz-checksum-mode header is invalid.")
	}
	if err := s3api.RefuseEncryption(h); err != nil {
		return read{}, err
	}
	var err error
	if get.version, err = q.version(); err != nil {
		return read{}, err
	}
	if text := q.query.Get("partNumber"); text != "" {
		if h.Get("Range") != "" {
			return read{}, s3api.E(s3api.InvalidRequest).WithMessage("Cannot specify both Range header and partNumber query parameter")
		}
		if get.part, err = s3api.ParsePartNumber(text); err != nil {
			return read{}, err
		}
	}
	if len(q.query) > 0 {
		get.overrides, err = s3api.ParseOverrides(q.query, !q.signed)
	}
	return get, err
}

func getObject(q *request) error {
	get, err := q.parseRead()
	if err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	err = b.Read(q.ctx, q.target.Key, get.version, func(o *volume.Object) error {
		if err := q.allowEntry(b, o.Entry()); err != nil {
			return err
		}
		span, status, err := get.prepare(q, b.Info(), o.Entry())
		if err != nil {
			return err
		}
		if span.Length == 0 {
			q.w.WriteHeader(status)
			return nil
		}
		// The header goes out with the first bytes: until then the version may turn out to be gone, and is looked up again.
		return get.open.writeRange(q.ctx, o, &statusWriter{w: q.w, status: status}, span.Offset, span.Length)
	})
	return q.readError(b, get.version, err)
}

func headObject(q *request) error {
	get, err := q.parseRead()
	if err != nil {
		return err
	}
	b, err := q.bucket()
	if err != nil {
		return err
	}
	entry, err := q.head(b, get.version)
	if err != nil {
		return err
	}
	_, status, err := get.prepare(q, b.Info(), &entry)
	if err != nil {
		return err
	}
	q.w.WriteHeader(status)
	return nil
}

// prepare evaluates the key, the conditions and the range against an entry and sets the headers of the answer. A 304 describes
// the entry as a 200 would (RFC 9110 section 15.4.5); other refusals say nothing of it.
func (get *read) prepare(q *request, info *holdfast.BucketInfo, e *holdfast.Entry) (s3api.ByteRange, int, error) {
	h := q.w.Header()
	var err error
	if get.open, err = q.openEntry(e); err != nil {
		return s3api.ByteRange{}, 0, err
	}
	outcome, failed := get.conditions.Check(e.ETag.String(), e.Modified)
	if outcome == s3api.FailedMatch {
		return s3api.ByteRange{}, 0, s3api.FailedCondition(failed)
	}
	setEntryHeaders(h, e)
	setEncryption(h, e.Sealed, get.open.customer)
	setVersion(h, info, e.Version, e.Null)
	if get.version.IsCurrent() {
		q.setExpiration(info, e)
	}
	if outcome == s3api.NotChanged {
		return s3api.ByteRange{}, 0, s3api.E(s3api.NotModified)
	}
	span, status := s3api.ByteRange{Length: e.Size}, http.StatusOK
	switch {
	case get.part != 0:
		if span, err = partRange(h, e, get.part); err != nil {
			return s3api.ByteRange{}, 0, err
		}
		status = http.StatusPartialContent
	case !get.byteRange.Whole():
		var partial bool
		if span, partial, err = get.byteRange.Resolve(e.Size); err != nil {
			return s3api.ByteRange{}, 0, err
		}
		if partial {
			status = http.StatusPartialContent
		}
	}
	if status == http.StatusPartialContent && span.Length > 0 { // no bytes have no place
		h["Content-Range"] = []string{span.ContentRange(e.Size)}
	}
	if get.checksum && (span.Length == e.Size || get.part != 0) {
		setChecksum(h, partChecksum(e, get.part), len(e.Content.Parts))
		if e.Checksum.Composite { // the type is the object's, also beside the checksum of a part
			h["X-Amz-Checksum-Type"] = []string{checksum.Composite.String()}
		}
	}
	h["Content-Length"] = []string{strconv.FormatInt(span.Length, 10)}
	s3api.SetOverrides(h, get.overrides)
	return span, status, nil
}

// partRange returns where the part with this number lies and sets x-amz-mp-parts-count. An object that was not made of
// parts has one; a number beyond the last is 416, as in S3.
func partRange(h http.Header, e *holdfast.Entry, number int) (s3api.ByteRange, error) {
	parts := e.Content.Parts
	if len(parts) == 0 {
		if number != 1 {
			return s3api.ByteRange{}, noSuchPartNumber(number, 1)
		}
		return s3api.ByteRange{Length: e.Size}, nil
	}
	// S3 numbers the parts of a finished object anew, whatever they were uploaded as.
	if number > len(parts) {
		return s3api.ByteRange{}, noSuchPartNumber(number, len(parts))
	}
	h["X-Amz-Mp-Parts-Count"] = []string{strconv.Itoa(len(parts))}
	p := &parts[number-1]
	return s3api.ByteRange{Offset: p.Offset, Length: p.Size}, nil
}

func noSuchPartNumber(number, parts int) error {
	return s3api.E(s3api.InvalidPartNumber).
		With("PartNumberRequested", strconv.Itoa(number)).With("ActualPartCount", strconv.Itoa(parts))
}

// partChecksum returns the checksum of the object, or with number ≠ 0 that of the part.
func partChecksum(e *holdfast.Entry, number int) holdfast.Checksum {
	if 0 < number && number <= len(e.Content.Parts) {
		return e.Content.Parts[number-1].Checksum
	}
	return e.Checksum
}

// readError refines the error of a read.
func (q *request) readError(b *volume.Bucket, v volume.Version, err error) error {
	if !holdfast.Is(err, holdfast.NotFound) {
		return err
	}
	entry, _ := b.Head(q.ctx, q.target.Key, v) // only to learn whether a delete marker is in the way
	return q.missing(b, v, &entry, err)
}

// missing is the answer when a version is not there: NoSuchKey or NoSuchVersion, or for a delete marker the headers and the 405
// that S3 gives when it is named by its version id.
func (q *request) missing(b *volume.Bucket, v volume.Version, e *holdfast.Entry, err error) error {
	if !holdfast.Is(err, holdfast.NotFound) {
		return err
	}
	if err := q.allowMissing(b); err != nil {
		return err
	}
	if e.Marker {
		h := q.w.Header()
		h.Set("X-Amz-Delete-Marker", "true")
		setVersion(h, b.Info(), e.Version, e.Null)
		if !v.IsCurrent() || q.refusesMarkers() {
			return s3api.MethodRefused(q.r.Method, "DeleteMarker").
				WithHeader("Allow", "DELETE").WithHeader("Last-Modified", s3api.LastModified(e.Modified))
		}
		return s3api.NoKey(q.target.Key).WithCause(err)
	}
	if !v.IsCurrent() {
		return s3api.NoVersion(q.target.Key, versionText(v.ID, v.Null)).WithCause(err)
	}
	return s3api.NoKey(q.target.Key).WithCause(err)
}

// refusesMarkers reports whether the operation refuses a delete marker that is the current version, where others take the object for gone: those
// about tags, and PutObjectAcl, as observed of S3.
func (q *request) refusesMarkers() bool {
	switch q.op {
	case s3api.OpGetObjectTagging, s3api.OpPutObjectTagging, s3api.OpDeleteObjectTagging, s3api.OpPutObjectAcl:
		return true
	}
	return false
}

// statusWriter sends the status with the first bytes.
type statusWriter struct {
	w      *responseWriter
	status int
}

// Write implements [io.Writer].
func (s *statusWriter) Write(p []byte) (int, error) {
	if !s.w.begun {
		s.w.WriteHeader(s.status)
	}
	return s.w.Write(p)
}
