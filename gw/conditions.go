package gw

import (
	"crypto/tls"
	"errors"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"holdfast"
	"holdfast/gw/policy"
	"holdfast/gw/s3api"
	"holdfast/gw/sigv4"
	"holdfast/volume"
)

// conditions is what the conditions of policies can ask of a request. It implements [policy.Context] and looks things up when they are
// asked for: an object's entry is read only for a policy that wants its tags.
type conditions struct {
	q       *request
	now     time.Time
	addr    netip.Addr // of the client
	secure  bool       // the client's connection is encrypted
	bucket  *volume.Bucket
	key     string // of the object that the question is about; "": the bucket
	version volume.Version
	entry   *holdfast.Entry // of the object; nil if it is not known yet
	prefix  string          // of a list that is not asked for, but decides what the caller may learn: a key that is not there
	source  bool            // asks for the right to read the source of a copy: what the headers ask for is about the target
	err     error           // of a look-up that failed: the decision counts for nothing
}

// conditionHeaders are the keys whose value is a header of the request.
var conditionHeaders = map[policy.Key]string{
	policy.KeyReferer:           "Referer",
	policy.KeyUserAgent:         "User-Agent",
	policy.KeyACL:               "X-Amz-Acl",
	policy.KeyContentSHA256:     "X-Amz-Content-Sha256",
	policy.KeyGrantFullControl:  "X-Amz-Grant-Full-Control",
	policy.KeyGrantRead:         "X-Amz-Grant-Read",
	policy.KeyGrantReadACP:      "X-Amz-Grant-Read-Acp",
	policy.KeyGrantWrite:        "X-Amz-Grant-Write",
	policy.KeyGrantWriteACP:     "X-Amz-Grant-Write-Acp",
	policy.KeyIfMatch:           "If-Match",
	policy.KeyIfNoneMatch:       "If-None-Match",
	policy.KeyMetadataDirective: "X-Amz-Metadata-Directive",
	policy.KeyObjectOwnership:   "X-Amz-Object-Ownership",
	policy.KeySSE:               "X-Amz-Server-Side-Encryption",
	policy.KeySSECustomer:       "X-Amz-Server-Side-Encryption-Customer-Algorithm",
	policy.KeySSEKMSKey:         "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id",
	policy.KeyStorageClass:      "X-Amz-Storage-Class",
	policy.KeyWebsiteRedirect:   "X-Amz-Website-Redirect-Location",
}

// conditionParameters are the keys whose value is a parameter of the query.
var conditionParameters = map[policy.Key]string{
	policy.KeyDelimiter: "delimiter",
	policy.KeyMaxKeys:   "max-keys",
	policy.KeyPrefix:    "prefix",
	policy.KeyVersionID: "versionId",
}

// Lookup implements [policy.Context].
func (c *conditions) Lookup(key policy.Key, name string) policy.Value {
	switch key {
	case policy.KeyPrefix:
		if c.prefix != "" {
			return policy.Text(c.prefix)
		}
	case policy.KeySourceIP:
		return policy.Address(c.addr)
	case policy.KeySecureTransport:
		return policy.Bool(c.secure)
	case policy.KeyRequestedRegion:
		return policy.Text(c.q.set.region)
	case policy.KeyExistingObjectTag:
		return tagValue(c.existingTags(), name)
	case policy.KeyAuthType, policy.KeySignatureVersion, policy.KeySignatureAge, policy.KeyTLSVersion:
		return c.connection(key)
	}
	if header, ok := conditionHeaders[key]; ok && (!c.source || aboutCaller(key)) {
		return headerValue(c.q.r.Header, header)
	}
	if c.source { // the rest is about the copy that is made
		if key == policy.KeyVersionID {
			return c.sourceVersion()
		}
		return policy.Value{}
	}
	if parameter, ok := conditionParameters[key]; ok {
		if v, ok := c.q.query[parameter]; ok {
			return policy.Text(v[0])
		}
		return policy.Value{}
	}
	return c.operation(key, name)
}

// aboutCaller reports whether a header tells of the one who asks, and not of what is asked for.
func aboutCaller(key policy.Key) bool {
	return key == policy.KeyReferer || key == policy.KeyUserAgent || key == policy.KeyContentSHA256
}

func headerValue(h http.Header, name string) policy.Value {
	if v, ok := h[name]; ok {
		return policy.Text(strings.Join(v, ","))
	}
	return policy.Value{}
}

// sourceVersion is the version that the source of a copy names.
func (c *conditions) sourceVersion() policy.Value {
	source, err := s3api.ParseCopySource(c.q.r.Header.Get("X-Amz-Copy-Source"))
	if err != nil || source.VersionID == "" {
		return policy.Value{}
	}
	return policy.Text(source.VersionID)
}

// connection returns what is known of the signature and of the connection.
func (c *conditions) connection(key policy.Key) policy.Value {
	signature := c.q.signature
	switch {
	case key == policy.KeyTLSVersion:
		if c.q.r.TLS != nil {
			return policy.Text(strings.TrimPrefix(tls.VersionName(c.q.r.TLS.Version), "TLS "))
		}
	case signature == nil || signature.Scheme == sigv4.Anonymous:
	case key == policy.KeyAuthType:
		if signature.Scheme == sigv4.QueryV4 || signature.Scheme == sigv4.QueryV2 {
			return policy.Text("REST-QUERY-STRING")
		}
		return policy.Text("REST-HEADER")
	case key == policy.KeySignatureVersion:
		if signature.Scheme == sigv4.HeaderV2 || signature.Scheme == sigv4.QueryV2 {
			return policy.Text("AWS")
		}
		return policy.Text("AWS4-HMAC-SHA256")
	case !signature.SignedAt.IsZero(): // the age; a presigned request of version 2 does not tell when it was signed
		return policy.Number(float64(max(0, c.now.Sub(signature.SignedAt).Milliseconds())))
	}
	return policy.Value{}
}

// operation returns what depends on the operation.
func (c *conditions) operation(key policy.Key, name string) policy.Value {
	h := c.q.r.Header
	switch key {
	case policy.KeyCopySource:
		if source, err := s3api.ParseCopySource(h.Get("X-Amz-Copy-Source")); err == nil {
			return policy.Text(source.Bucket + "/" + source.Key)
		}
	case policy.KeyObjectCreation:
		return c.creation()
	case policy.KeyRequestObjectTag:
		return tagValue(c.requestTags(), name)
	case policy.KeyRequestTagKeys:
		var keys []string
		for _, tag := range c.requestTags() {
			keys = append(keys, tag.Name)
		}
		slices.Sort(keys)
		return policy.List(keys)
	case policy.KeyLockMode:
		mode, _ := c.retention()
		return presentText(mode)
	case policy.KeyLockUntil:
		_, until := c.retention()
		return presentText(until)
	case policy.KeyLockDays:
		_, until := c.retention()
		if t, err := time.Parse(time.RFC3339, until); err == nil {
			return policy.Number(math.Ceil(t.Sub(c.now).Hours() / 24))
		}
	case policy.KeyLegalHold:
		return presentText(c.legalHold())
	}
	return policy.Value{}
}

func presentText(s string) policy.Value {
	if s == "" {
		return policy.Value{}
	}
	return policy.Text(s)
}

// creation tells the requests that make an object from the steps of an upload, which need the same right.
func (c *conditions) creation() policy.Value {
	switch c.q.op {
	case s3api.OpPutObject, s3api.OpCopyObject, s3api.OpPostObject, s3api.OpCompleteMultipartUpload:
		return policy.Bool(true)
	case s3api.OpCreateMultipartUpload, s3api.OpUploadPart, s3api.OpUploadPartCopy:
		return policy.Bool(false)
	}
	return policy.Value{}
}

// tagValue returns the tag of a key, none if there is none.
func tagValue(tags []holdfast.Header, key string) policy.Value {
	if i := slices.IndexFunc(tags, func(t holdfast.Header) bool { return t.Name == key }); i >= 0 {
		return policy.Text(tags[i].Value)
	}
	return policy.Value{}
}

// existingTags returns the tags of the object, and reads its entry if nobody has yet. An object that is not there has none.
func (c *conditions) existingTags() []holdfast.Header {
	if c.entry == nil && c.key != "" && c.bucket != nil {
		e, err := c.bucket.Head(c.q.ctx, c.key, c.version)
		if err != nil && !holdfast.Is(err, holdfast.NotFound) {
			c.err = errors.Join(c.err, err)
		}
		c.entry = &e
	}
	if c.entry == nil {
		return nil
	}
	return c.entry.Tags
}

// requestTags returns the tags that the request sets.
func (c *conditions) requestTags() []holdfast.Header {
	values, err := url.ParseQuery(c.q.r.Header.Get("X-Amz-Tagging"))
	if err != nil { // the handler refuses it
		return nil
	}
	var tags []holdfast.Header
	for key := range values {
		tags = append(tags, holdfast.Header{Name: key, Value: values.Get(key)})
	}
	return tags
}

// retention returns the mode and the end of the retention that the request sets, as it has them.
func (c *conditions) retention() (mode, until string) {
	h := c.q.r.Header
	return h.Get("X-Amz-Object-Lock-Mode"), h.Get("X-Amz-Object-Lock-Retain-Until-Date")
}

// legalHold returns the legal hold that the request sets, ON or OFF.
func (c *conditions) legalHold() string { return c.q.r.Header.Get("X-Amz-Object-Lock-Legal-Hold") }
