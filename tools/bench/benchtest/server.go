// Package benchtest is a small S3 in memory to test load generators against.
//
// It checks what a real server would refuse: every signature, by having the
// AWS SDK sign the same request again, every payload hash and every
// Content-MD5. It knows just the operations that a load generator sends, on
// one bucket, and is neither fast nor complete: it is no store.
package benchtest

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Server is the handler. Set the fields before the first request; the methods
// are safe for concurrent use.
type Server struct {
	AccessKey, SecretKey, Region string
	// Trusting skips the checks of signatures and hashes, to be cheap.
	Trusting bool
	// Hook, if set, sees each request first, its body unread, and returns
	// whether it answered.
	Hook func(w http.ResponseWriter, r *http.Request) bool

	mu       sync.Mutex
	bucket   string
	objects  map[string][]byte
	uploads  map[string]map[int][]byte
	started  int // uploads ever
	requests map[string]int
}

// Objects is a copy of the names and contents stored.
func (s *Server) Objects() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]byte, len(s.objects))
	for k, v := range s.objects {
		all[k] = v
	}
	return all
}

// Uploads is the number of multipart uploads in progress.
func (s *Server) Uploads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.uploads)
}

// Requests is how many requests of a method were served.
func (s *Server) Requests(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[method]
}

// Bucket is the name of the bucket, empty if there is none.
func (s *Server) Bucket() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bucket
}

// Corrupt flips a bit of a stored object.
func (s *Server) Corrupt(key string, at int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := slices.Clone(s.objects[key])
	c[at] ^= 1
	s.objects[key] = c
}

// refusal is an S3 error to answer with.
type refusal struct {
	status int
	code   string
}

func (e refusal) Error() string { return e.code }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Hook != nil && s.Hook(w, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err == nil && !s.Trusting {
		err = s.check(r, body)
	}
	if err == nil {
		err = s.serve(w, r, body)
	}
	if err != nil {
		WriteError(w, err)
	}
}

// WriteError answers with an S3 error document.
func WriteError(w http.ResponseWriter, err error) {
	e, ok := err.(refusal)
	if !ok {
		e = refusal{400, "IncompleteBody"}
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(e.status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>refused &amp; canned</Message></Error>`, e.code)
}

// check recomputes signature and hashes.
func (s *Server) check(r *http.Request, body []byte) error {
	auth := r.Header.Get("Authorization")
	if !strings.Contains(auth, "Credential="+s.AccessKey+"/") {
		return refusal{403, "InvalidAccessKeyId"}
	}
	if !strings.Contains(auth, "/"+s.Region+"/s3/") {
		return refusal{400, "AuthorizationHeaderMalformed"}
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > time.Minute {
		return refusal{403, "RequestTimeTooSkewed"}
	}
	hash := r.Header.Get("X-Amz-Content-Sha256")
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.RequestURI, nil)
	if err != nil {
		return refusal{400, "InvalidURI"}
	}
	again.Header.Set("X-Amz-Content-Sha256", hash)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	err = signer.SignHTTP(context.Background(), aws.Credentials{AccessKeyID: s.AccessKey, SecretAccessKey: s.SecretKey}, again, hash, "s3", s.Region, at)
	if err != nil || again.Header.Get("Authorization") != auth {
		return refusal{403, "SignatureDoesNotMatch"}
	}
	if sum := sha256.Sum256(body); hash != "UNSIGNED-PAYLOAD" && hash != hex.EncodeToString(sum[:]) {
		return refusal{400, "XAmzContentSHA256Mismatch"}
	}
	sum := md5.Sum(body)
	if m := r.Header.Get("Content-MD5"); m != "" && m != base64.StdEncoding.EncodeToString(sum[:]) {
		return refusal{400, "BadDigest"}
	}
	return nil
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests == nil {
		s.requests = map[string]int{}
		s.objects, s.uploads = map[string][]byte{}, map[string]map[int][]byte{}
	}
	s.requests[r.Method]++
	bucket, key, isObject := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !isObject && r.Method == "PUT" {
		s.bucket = bucket
		return nil
	}
	if s.bucket != bucket || bucket == "" {
		return refusal{404, "NoSuchBucket"}
	}
	q := r.URL.Query()
	switch {
	case q.Has("uploads") || q.Has("uploadId"):
		return s.multipartLocked(w, r, key, body)
	case isObject:
		return s.objectLocked(w, r, key, body)
	case r.Method == "GET":
		return s.listLocked(w, r)
	case r.Method == "POST" && q.Has("delete"):
		return s.multiDeleteLocked(r, body)
	case r.Method == "DELETE":
		if len(s.objects) > 0 {
			return refusal{409, "BucketNotEmpty"}
		}
		s.bucket = ""
		w.WriteHeader(204)
		return nil
	}
	return refusal{501, "NotImplemented"}
}

func (s *Server) objectLocked(w http.ResponseWriter, r *http.Request, key string, body []byte) error {
	switch r.Method {
	case "PUT":
		s.objects[key] = body
		w.Header().Set("ETag", `"e"`)
		return nil
	case "DELETE":
		delete(s.objects, key)
		w.WriteHeader(204)
		return nil
	}
	content, ok := s.objects[key]
	if !ok {
		return refusal{404, "NoSuchKey"}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method == "GET" {
		_, _ = w.Write(content) // the client may have left
	}
	return nil
}

func (s *Server) multipartLocked(w http.ResponseWriter, r *http.Request, key string, body []byte) error {
	q := r.URL.Query()
	if q.Has("uploads") {
		s.started++
		id := fmt.Sprintf("id/+%d", s.started)
		s.uploads[id] = map[int][]byte{}
		fmt.Fprintf(w, "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>", id)
		return nil
	}
	parts, ok := s.uploads[q.Get("uploadId")]
	if !ok {
		return refusal{404, "NoSuchUpload"}
	}
	switch r.Method {
	case "PUT":
		n, err := strconv.Atoi(q.Get("partNumber"))
		if err != nil {
			return refusal{400, "InvalidArgument"}
		}
		parts[n] = body
		w.Header().Set("ETag", fmt.Sprintf(`"part%d"`, n))
	case "DELETE":
		delete(s.uploads, q.Get("uploadId"))
		w.WriteHeader(204)
	case "POST":
		var doc struct {
			Part []struct {
				PartNumber int
				ETag       string
			}
		}
		if xml.Unmarshal(body, &doc) != nil {
			return refusal{400, "MalformedXML"}
		}
		var whole []byte
		for _, p := range doc.Part {
			if p.ETag != fmt.Sprintf(`"part%d"`, p.PartNumber) {
				return refusal{400, "InvalidPart"}
			}
			whole = append(whole, parts[p.PartNumber]...)
		}
		s.objects[key] = whole
		delete(s.uploads, q.Get("uploadId"))
		fmt.Fprint(w, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")
	}
	return nil
}

func (s *Server) listLocked(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	limit, err := strconv.Atoi(cmp.Or(q.Get("max-keys"), "1000"))
	if err != nil {
		return refusal{400, "InvalidArgument"}
	}
	var keys []string
	for k := range s.objects {
		if strings.HasPrefix(k, q.Get("prefix")) && k > q.Get("continuation-token") {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	fmt.Fprint(w, "<ListBucketResult>")
	for _, k := range keys[:min(limit, len(keys))] {
		fmt.Fprint(w, "<Contents><Key>")
		_ = xml.EscapeText(w, []byte(k)) // the client may have left
		fmt.Fprint(w, "</Key></Contents>")
	}
	if len(keys) > limit && limit > 0 {
		fmt.Fprint(w, "<NextContinuationToken>")
		_ = xml.EscapeText(w, []byte(keys[limit-1])) // likewise
		fmt.Fprint(w, "</NextContinuationToken>")
	}
	fmt.Fprint(w, "</ListBucketResult>")
	return nil
}

func (s *Server) multiDeleteLocked(r *http.Request, body []byte) error {
	if r.Header.Get("Content-MD5") == "" {
		return refusal{400, "MissingContentMD5"}
	}
	var doc struct{ Object []struct{ Key string } }
	if xml.Unmarshal(body, &doc) != nil || len(doc.Object) > 1000 {
		return refusal{400, "MalformedXML"}
	}
	for _, o := range doc.Object {
		delete(s.objects, o.Key)
	}
	return nil
}
