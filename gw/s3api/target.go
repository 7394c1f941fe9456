package s3api

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Target is what a request is about. No bucket means the service, no key the bucket.
type Target struct {
	Bucket string
	Key    string
	// VirtualHosted says that the bucket came from the Host header.
	VirtualHosted bool
}

// HasBucket reports whether the target names a bucket.
func (t Target) HasBucket() bool { return t.Bucket != "" }

// HasKey reports whether the target names an object.
func (t Target) HasKey() bool { return t.Key != "" }

// Domains are the host names the gateway answers under, for virtual-hosted requests: with the domain s3.example.com, a
// request to photos.s3.example.com is about the bucket photos. Immutable; the zero value knows path style alone.
type Domains struct {
	suffixes []string // lower case, without surrounding dots, longest first
}

// NewDomains returns the domains. Case, surrounding dots and empty names do not matter.
func NewDomains(names []string) Domains {
	var d Domains
	for _, name := range names {
		if name = strings.ToLower(strings.Trim(strings.TrimSpace(name), ".")); name != "" {
			d.suffixes = append(d.suffixes, name)
		}
	}
	slices.SortFunc(d.suffixes, func(a, b string) int { return len(b) - len(a) })
	return d
}

// Target returns the target of a request with this Host header and this escaped path, as [url.URL.EscapedPath] returns it
// (never the decoded path, in which %2F and / are the same).
//
// A host of the form bucket.domain is virtual-hosted style and the whole path is the key; any other host, an address or a
// name we do not know included, is path style: /bucket/key. Bucket names with dots work in both.
//
// The key is the rest of the path decoded exactly once: empty segments, "..", a trailing slash and %2F stay as they are, and
// '+' is a plus (RFC 3986; only queries say a space so). /bucket and /bucket/ are both the bucket. A path that does
// not start with '/', has a broken escape or decodes to something that is not UTF-8 is InvalidURI, a key over 1024 bytes is
// KeyTooLongError, a bucket that cannot exist InvalidBucketName.
func (d Domains) Target(host, escapedPath string) (Target, error) {
	if escapedPath == "" || escapedPath == "*" { // absolute-form without a path, and OPTIONS *
		escapedPath = "/"
	}
	rest, ok := strings.CutPrefix(escapedPath, "/")
	if !ok {
		return Target{}, E(InvalidURI)
	}
	var t Target
	if t.Bucket = d.bucketOf(host); t.Bucket != "" {
		t.VirtualHosted = true
	} else {
		var rawBucket string
		var err error
		rawBucket, rest, _ = strings.Cut(rest, "/")
		if t.Bucket, err = decodePath(rawBucket); err != nil {
			return Target{}, err
		}
		if t.Bucket == "" {
			if rest == "" {
				return Target{}, nil
			}
			return Target{}, badBucketName("")
		}
	}
	if !plausibleBucket(t.Bucket) {
		return Target{}, badBucketName(t.Bucket)
	}
	key, err := decodePath(rest)
	if err != nil {
		return Target{}, err
	}
	if key != "" {
		if err := CheckKey(key); err != nil {
			return Target{}, err
		}
	}
	t.Key = key
	return t, nil
}

// bucketOf returns the bucket a Host header names, or "".
func (d Domains) bucketOf(host string) string {
	bucket, _ := d.split(host)
	return bucket
}

// split returns the bucket a Host header names, and the domain it stands under; "" for a host under none of them.
func (d Domains) split(host string) (bucket, domain string) {
	if len(d.suffixes) == 0 {
		return "", ""
	}
	host = strings.ToLower(strings.TrimSuffix(stripPort(host), "."))
	for _, suffix := range d.suffixes {
		if host == suffix {
			return "", suffix
		}
		if bucket, ok := strings.CutSuffix(host, "."+suffix); ok && bucket != "" {
			return bucket, suffix
		}
	}
	return "", ""
}

// Site returns the bucket whose web site a Host header names. sites are the domains of web sites, d those of the API; of domains within
// one another the longer counts.
func (d Domains) Site(sites Domains, host string) (bucket string, ok bool) {
	bucket, domain := sites.split(host)
	_, api := d.split(host)
	return bucket, bucket != "" && len(domain) > len(api)
}

// stripPort removes ":port"; an IPv6 address keeps its colons.
func stripPort(host string) string {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") {
		return host
	}
	if strings.Count(host, ":") > 1 && !strings.HasPrefix(host, "[") {
		return host
	}
	return host[:colon]
}

// decodePath decodes percent escapes once.
func decodePath(raw string) (string, error) {
	decoded, err := url.PathUnescape(raw)
	if err != nil {
		return "", E(InvalidURI).With("URI", raw).WithCause(err)
	}
	if !utf8.ValidString(decoded) {
		return "", E(InvalidURI).With("URI", raw)
	}
	return decoded, nil
}

// isAddress reports whether the name is an IP address, or looks like an IPv4 one as S3 means it (four numbers).
func isAddress(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	labels := strings.Split(name, ".")
	if len(labels) != 4 {
		return false
	}
	for _, label := range labels {
		if label == "" || strings.Trim(label, "0123456789") != "" {
			return false
		}
	}
	return true
}
