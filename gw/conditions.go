package gw

import (
	"crypto/tls"
	"math"
	"net/http"
	"strings"
	"time"

	"holdfast"
	"holdfast/gw/policy"
	"holdfast/gw/s3api"
	"holdfast/gw/sigv4"
)

// proof tells how a request was signed.
type proof struct {
	scheme sigv4.Scheme
	at     time.Time
}

// headerKeys are the condition keys whose value is that of a header.
var headerKeys = map[policy.Key]string{
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
	policy.KeyLegalHold:         "X-Amz-Object-Lock-Legal-Hold",
	policy.KeyLockMode:          "X-Amz-Object-Lock-Mode",
	policy.KeyLockUntil:         "X-Amz-Object-Lock-Retain-Until-Date",
	policy.KeyMetadataDirective: "X-Amz-Metadata-Directive",
	policy.KeyObjectOwnership:   "X-Amz-Object-Ownership",
	policy.KeySSE:               "X-Amz-Server-Side-Encryption",
	policy.KeySSECustomer:       "X-Amz-Server-Side-Encryption-Customer-Algorithm",
	policy.KeySSEKMSKey:         "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id",
	policy.KeyStorageClass:      "X-Amz-Storage-Class",
	policy.KeyWebsiteRedirect:   "X-Amz-Website-Redirect-Location",
}

// queryKeys are the condition keys whose value is that of a query parameter.
var queryKeys = map[policy.Key]string{
	policy.KeyDelimiter: "delimiter",
	policy.KeyMaxKeys:   "max-keys",
	policy.KeyPrefix:    "prefix",
}

// Lookup implements [policy.Context]: it is asked for a key only when a statement needs it.
func (k *ask) Lookup(key policy.Key, name string) policy.Value {
	q := k.q
	if v, ok := q.told.lookup(key, name); ok {
		return v
	}
	switch key {
	case policy.KeyExistingObjectTag:
		return k.existingTag(name)
	case policy.KeyVersionID:
		if k.version.IsCurrent() {
			return policy.Value{}
		}
		return policy.Text(versionText(k.version.ID, k.version.Null))
	case policy.KeyPrefix:
		if k.prefix != "" {
			return policy.Text(k.prefix)
		}
	}
	if q.told != nil || k.source && !aboutCaller(key) {
		return policy.Value{}
	}
	if read, ok := bodyKeys[bodyKey{q.op, key}]; ok {
		return k.inBody(read, name)
	}
	if header, ok := headerKeys[key]; ok {
		return headerValue(q.r.Header, header)
	}
	if parameter, ok := queryKeys[key]; ok {
		if values := q.query[parameter]; len(values) > 0 {
			return policy.Text(values[0])
		}
		return policy.Value{}
	}
	if key == policy.KeyRequestObjectTag || key == policy.KeyRequestTagKeys {
		tags, err := s3api.ParseTagging(q.r.Header.Get("X-Amz-Tagging"))
		if err != nil {
			k.err = err
		}
		return tagValue(tags, key, name)
	}
	return q.fact(key)
}

// fact returns what is known of the request beside its parameters, headers and body, or takes a header to be worked out.
func (q *request) fact(key policy.Key) policy.Value {
	switch key {
	case policy.KeySourceIP:
		return policy.Address(q.set.proxies.clientAddr(q.r))
	case policy.KeySecureTransport:
		return policy.Bool(q.set.proxies.secure(q.r))
	case policy.KeyTLSVersion:
		return tlsVersion(q.r.TLS)
	case policy.KeyRequestedRegion:
		return policy.Text(q.set.region)
	case policy.KeyAuthType, policy.KeySignatureVersion, policy.KeySignatureAge:
		if key == policy.KeyAuthType && q.form != nil {
			return policy.Text("POST")
		}
		return q.proof.value(key)
	case policy.KeyCopySource:
		if from, err := s3api.ParseCopySource(q.r.Header.Get("X-Amz-Copy-Source")); err == nil {
			return policy.Text(from.Bucket + "/" + from.Key)
		}
	case policy.KeyObjectCreation:
		return policy.Bool(q.op != s3api.OpCreateMultipartUpload && q.op != s3api.OpUploadPart && q.op != s3api.OpUploadPartCopy)
	case policy.KeyLockDays:
		if t, err := time.Parse(time.RFC3339Nano, q.r.Header.Get("X-Amz-Object-Lock-Retain-Until-Date")); err == nil {
			return lockDays(t)
		}
	}
	return policy.Value{}
}

// aboutCaller reports whether a key tells of the one who asks, and not of what is asked for: of a copy, that is what it makes.
func aboutCaller(key policy.Key) bool {
	switch key {
	case policy.KeyReferer, policy.KeyUserAgent, policy.KeyContentSHA256, policy.KeySourceIP, policy.KeySecureTransport, policy.KeyTLSVersion,
		policy.KeyRequestedRegion, policy.KeyAuthType, policy.KeySignatureVersion, policy.KeySignatureAge:
		return true
	}
	return false
}

func headerValue(h http.Header, name string) policy.Value {
	if values := h[name]; len(values) > 0 {
		return policy.Text(strings.Join(values, ","))
	}
	return policy.Value{}
}

func tlsVersion(state *tls.ConnectionState) policy.Value {
	if state == nil {
		return policy.Value{}
	}
	switch state.Version {
	case tls.VersionTLS12:
		return policy.Text("1.2")
	case tls.VersionTLS13:
		return policy.Text("1.3")
	}
	return policy.Value{}
}

// value returns what the keys about signatures have; nothing of a request that is not signed.
func (p proof) value(key policy.Key) policy.Value {
	switch {
	case p.scheme == sigv4.Anonymous:
		return policy.Value{}
	case key == policy.KeySignatureVersion:
		return policy.Text(p.scheme.Version())
	case key == policy.KeySignatureAge:
		if p.at.IsZero() {
			return policy.Value{}
		}
		return policy.Number(float64(max(time.Since(p.at).Milliseconds(), 0)))
	case p.scheme == sigv4.QueryV4 || p.scheme == sigv4.QueryV2:
		return policy.Text("REST-QUERY-STRING")
	}
	return policy.Text("REST-HEADER")
}

// lockDays is for how many days a request wants an object retained, begun days counted.
func lockDays(until time.Time) policy.Value {
	return policy.Number(math.Ceil(time.Until(until).Hours() / 24))
}

// existingTag returns a tag of the object. It is looked up if nobody did yet; one that is not there has none. If it cannot be looked up,
// the question has no answer.
func (k *ask) existingTag(name string) policy.Value {
	if k.tagged == nil {
		k.tagged = k.entry
	}
	if k.tagged == nil && k.bucket != nil && k.key != "" {
		e, err := k.bucket.Head(k.q.ctx, k.key, k.version)
		if err != nil && !holdfast.Is(err, holdfast.NotFound) {
			k.err = err
		}
		k.tagged = &e
	}
	if k.tagged == nil {
		return policy.Value{}
	}
	for _, t := range k.tagged.Tags {
		if t.Name == name {
			return policy.Text(t.Value)
		}
	}
	return policy.Value{}
}
