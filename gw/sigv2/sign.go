package sigv2

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"holdfast/gw/sigv4"
)

// Sign signs a request in its Authorization header and sets Date, unless
// x-amz-date is there already. The other headers must be complete. bucket is the
// bucket that the host names; "" if the path does.
func Sign(r *http.Request, creds sigv4.Credentials, bucket string, at time.Time) {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	if creds.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", creds.SessionToken)
	}
	path, _ := sigv4.Target(r)
	date := ""
	if r.Header.Get("X-Amz-Date") == "" {
		date = at.UTC().Format(http.TimeFormat)
		r.Header.Set("Date", date)
	}
	r.Header.Set("Authorization", "AWS "+creds.AccessKey+":"+
		signature(creds.SecretKey, stringToSign(r, bucket, path, date, nil)))
}

// Presign turns r into a presigned request by adding to the query of its URL.
// Its x-amz-* headers, Content-MD5 and Content-Type are signed: whoever uses the
// URL must send them.
func Presign(r *http.Request, creds sigv4.Credentials, bucket string, expires time.Time) {
	date := strconv.FormatInt(expires.Unix(), 10)
	path, _ := sigv4.Target(r)
	sig := signature(creds.SecretKey, stringToSign(r, bucket, path, date, nil))
	if r.URL.RawQuery != "" {
		r.URL.RawQuery += "&"
	}
	r.URL.RawQuery += "AWSAccessKeyId=" + url.QueryEscape(creds.AccessKey) +
		"&Expires=" + date + "&Signature=" + url.QueryEscape(sig)
}
