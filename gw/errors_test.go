package gw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"holdfast"
	"holdfast/gw/checksum"
	"holdfast/gw/s3api"
	"holdfast/gw/sigv4"
)

// TestErrorOfKind lists what a client is told for each kind of the store's errors.
func TestErrorOfKind(t *testing.T) {
	want := map[holdfast.Kind]struct {
		code   s3api.Code
		status int
	}{
		holdfast.Other:         {s3api.InternalError, 500},
		holdfast.Invalid:       {s3api.InvalidArgument, 400},
		holdfast.NotFound:      {s3api.NoSuchKey, 404},
		holdfast.Exists:        {s3api.PreconditionFailed, 412},
		holdfast.DirGone:       {s3api.ServiceUnavailable, 503},
		holdfast.NotEmpty:      {s3api.BucketNotEmpty, 409},
		holdfast.Precondition:  {s3api.PreconditionFailed, 412},
		holdfast.Conflict:      {s3api.ConditionalRequestConflict, 409},
		holdfast.Doomed:        {s3api.ServiceUnavailable, 503},
		holdfast.NoSuchUpload:  {s3api.NoSuchUpload, 404},
		holdfast.InvalidPart:   {s3api.InvalidPart, 400},
		holdfast.PartTooSmall:  {s3api.EntityTooSmall, 400},
		holdfast.NotOwner:      {s3api.ServiceUnavailable, 503},
		holdfast.Unavailable:   {s3api.ServiceUnavailable, 503},
		holdfast.Overload:      {s3api.SlowDown, 503},
		holdfast.NoSpace:       {s3api.InsufficientStorage, 507},
		holdfast.Corrupt:       {s3api.InternalError, 500},
		holdfast.TooLarge:      {s3api.EntityTooLarge, 400},
		holdfast.Aborted:       {s3api.RequestTimeout, 400},
		holdfast.Locked:        {s3api.AccessDenied, 403},
		holdfast.Unsupported:   {s3api.NotImplemented, 501},
		holdfast.Unknown:       {s3api.ServiceUnavailable, 503},
		holdfast.Denied:        {s3api.AccessDenied, 403},
		holdfast.QuotaExceeded: {s3api.QuotaExceeded, 403},
	}
	q := &request{r: httptest.NewRequest("PUT", "/bucket/key", nil), target: s3api.Target{Bucket: "bucket", Key: "key"}}
	for kind := range holdfast.Kind(holdfast.Kinds) {
		err := fmt.Errorf("on the way: %w", holdfast.E("volume.put", kind, errors.New("secret detail")))
		got := s3Error(q, err)
		if w, ok := want[kind]; !ok || got.Code != w.code || got.Status() != w.status {
			t.Errorf("%v: got %s %d, want %s %d", kind, got.Code, got.Status(), w.code, w.status)
		}
		if doc := string(s3api.AppendError(nil, got, s3api.RequestID{}, "")); strings.Contains(doc, "secret") {
			t.Errorf("%v: the client is told %s", kind, doc)
		}
		if !errors.Is(got, err) {
			t.Errorf("%v: the cause is lost for the log", kind)
		}
	}
}

func TestErrorOfOthers(t *testing.T) {
	put := httptest.NewRequest("PUT", "/bucket/key", nil)
	absent := httptest.NewRequest("PUT", "/bucket/key", nil)
	absent.Header.Set("If-None-Match", "*")
	for name, tt := range map[string]struct {
		r    *http.Request
		err  error
		code s3api.Code
		text string // in the document
	}{
		"an S3 error":       {put, fmt.Errorf("wrapped: %w", s3api.NoBucket("b")), s3api.NoSuchBucket, "<BucketName>b</BucketName>"},
		"a signature":       {put, sigv4.UnknownKey("AKID"), s3api.InvalidAccessKeyId, "AKID"},
		"a checksum":        {put, &checksum.Error{Code: "BadDigest", Message: "differs"}, s3api.BadDigest, "differs"},
		"no error of ours":  {put, errors.New("secret detail"), s3api.InternalError, "RequestId"},
		"out of time":       {put, context.DeadlineExceeded, s3api.ServiceUnavailable, ""},
		"a key":             {put, holdfast.E("x", holdfast.NotFound, nil), s3api.NoSuchKey, "<Key>key</Key>"},
		"a condition":       {put, holdfast.E("x", holdfast.Precondition, nil), s3api.PreconditionFailed, "<Condition>If-Match</Condition>"},
		"another condition": {absent, holdfast.E("x", holdfast.Precondition, nil), s3api.PreconditionFailed, "<Condition>If-None-Match</Condition>"},
	} {
		q := &request{r: tt.r, target: s3api.Target{Bucket: "bucket", Key: "key"}}
		got := s3Error(q, tt.err)
		doc := string(s3api.AppendError(nil, got, s3api.RequestID{}, ""))
		if got.Code != tt.code || !strings.Contains(doc, tt.text) || strings.Contains(doc, "secret") {
			t.Errorf("%s: got %s, want %s with %q", name, doc, tt.code, tt.text)
		}
	}
}
