package sigv2

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"holdfast/gw/sigv4"
)

// subresources are the query parameters that are signed: those that name a part
// of a bucket or object, and those that override headers of the response. Sorted.
var subresources = []string{
	"accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "encryption",
	"inventory", "legal-hold", "lifecycle", "location", "logging", "metrics",
	"notification", "object-lock", "partNumber", "policy", "replication",
	"requestPayment", "response-cache-control", "response-content-disposition",
	"response-content-encoding", "response-content-language",
	"response-content-type", "response-expires", "restore", "retention", "select",
	"select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId",
	"versioning", "versions", "website",
}

// stringToSign returns what the signature covers:
//
//	method \n Content-MD5 \n Content-Type \n date \n x-amz-headers resource
//
// path is the raw path of the request. query is nil unless the request is presigned, when headers may stand in it.
func stringToSign(r *http.Request, bucket, path, date string, query url.Values) string {
	var b strings.Builder
	b.WriteString(r.Method)
	for _, value := range [...]string{
		headerOr(r.Header, "Content-Md5", query, "content-md5"),
		headerOr(r.Header, "Content-Type", query, "content-type"),
		date,
	} {
		b.WriteByte('\n')
		b.WriteString(value)
	}
	b.WriteByte('\n')
	writeAmzHeaders(&b, r.Header, query)
	writeResource(&b, r, bucket, path)
	return b.String()
}

func headerOr(h http.Header, key string, query url.Values, parameter string) string {
	if value := h.Get(key); value != "" || query == nil {
		return value
	}
	return query.Get(parameter)
}

// writeAmzHeaders writes "name:value,value\n" for each x-amz-* header, sorted.
func writeAmzHeaders(b *strings.Builder, h http.Header, query url.Values) {
	const prefix = "x-amz-"
	amz := make(map[string][]string)
	for name, values := range query {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, prefix) {
			// Every spelling counts, so that none can be slipped in unsigned.
			amz[lower] = append(amz[lower], values...)
		}
	}
	for key, values := range h {
		if lower := strings.ToLower(key); strings.HasPrefix(lower, prefix) {
			amz[lower] = values
		}
	}
	names := make([]string, 0, len(amz))
	for name := range amz {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString(name)
		separator := byte(':')
		for _, value := range amz[name] {
			b.WriteByte(separator)
			b.WriteString(strings.TrimSpace(value))
			separator = ','
		}
		b.WriteByte('\n')
	}
}

// writeResource writes the bucket of the host, the path as it came over the
// wire, and the signed parameters of the query, sorted and decoded.
func writeResource(b *strings.Builder, r *http.Request, bucket, path string) {
	_, query := sigv4.Target(r)
	if bucket != "" {
		b.WriteByte('/')
		b.WriteString(bucket)
	}
	b.WriteString(path)
	if name := management(bucket, path, query); name != "" {
		b.WriteByte('?')
		b.WriteString(name)
		return
	}
	values := make(map[string]string)
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		if _, signed := slices.BinarySearch(subresources, name); !signed {
			continue
		}
		if _, twice := values[name]; twice {
			continue
		}
		if decoded, err := url.QueryUnescape(value); err == nil {
			value = decoded
		}
		values[name] = value
	}
	separator := byte('?')
	for _, name := range subresources {
		value, found := values[name]
		if !found {
			continue
		}
		b.WriteByte(separator)
		b.WriteString(name)
		if value != "" {
			b.WriteByte('=')
			b.WriteString(value)
		}
		separator = '&'
	}
}

// management returns the resource of the management API that a request is for, "" if it is not. Of such a request version 2 signs
// the first resource and no other parameter: POST /?ostor-users&id=…&disable is signed as /?ostor-users.
func management(bucket, path, query string) string {
	if bucket != "" || path != "/" && path != "" {
		return ""
	}
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "ostor-") {
			return name
		}
	}
	return ""
}

func signature(secret, toSign string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(toSign))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
