package gw

import (
	"net/http"
	"net/url"
	"strings"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// website is a bucket as a web site (https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html).
func website() setting {
	return setting{
		name: "website", put: s3api.OpPutBucketWebsite, absent: s3api.NoSuchWebsiteConfiguration,
		check: func(_ *request, _ *volume.Bucket, doc []byte) ([]byte, error) {
			c, err := s3api.DecodeWebsite(doc)
			if err != nil {
				return nil, err
			}
			return c.Append(nil), nil
		},
	}
}

// site is what a request to a web site goes by.
type site struct {
	config *s3api.WebsiteConfig
	raw    string // key as the path has it, escaped
	second error  // why the error document could not be shown; nil if there is none
}

// identifySite reads a request to the web site of a bucket. The query says nothing here; signatures neither: visitors are anonymous.
func (q *request) identifySite(bucket string) error {
	path := q.r.URL.EscapedPath()
	q.site = &site{raw: strings.TrimPrefix(path, "/")}
	key, err := url.PathUnescape(q.site.raw)
	if err != nil {
		return s3api.E(s3api.InvalidURI).WithCause(err)
	}
	q.target = s3api.Target{Bucket: bucket, Key: key, VirtualHosted: true}
	switch q.r.Method {
	case http.MethodGet:
		q.op = s3api.OpGetObject
	case http.MethodHead:
		q.op = s3api.OpHeadObject
	case http.MethodOptions:
		q.op = s3api.OpPreflightObject
	default:
		return s3api.MethodRefused(q.r.Method, "OBJECT").WithHeader("Allow", "GET, HEAD, OPTIONS")
	}
	return nil
}

// serveSite answers a visitor: with the object, the index of a directory, a redirect, or an error as a page or the site's own error
// document.
func (q *request) serveSite() error {
	q.id.SetHeaders(q.w.Header())
	b, err := q.bucket()
	if err != nil {
		return err
	}
	c, ok, err := parseSetting(&q.g.parsed, b, "website", func(doc []byte) (*s3api.WebsiteConfig, error) {
		c, err := s3api.DecodeWebsite(doc)
		return &c, err
	})
	switch {
	case err != nil:
		return err
	case !ok:
		return s3api.E(s3api.NoSuchWebsiteConfiguration).With("BucketName", q.target.Bucket)
	case c.RedirectAll != nil:
		return q.redirect(q.away(c.RedirectAll, q.site.raw), http.StatusMovedPermanently)
	}
	q.site.config = c
	asked := q.target.Key
	if asked == "" || strings.HasSuffix(asked, "/") {
		q.target.Key += c.Index
	}
	entry, err := q.headSite(b)
	directory := err != nil && asked != "" && !strings.HasSuffix(asked, "/") && q.isDirectory(b, asked)
	if done, err := q.route(asked, err, directory); done {
		return err
	}
	if directory {
		return q.toDirectory()
	}
	if err == nil {
		if to := redirectLocation(&entry); to != "" {
			return q.redirect(to, http.StatusMovedPermanently)
		}
		err = q.handleRead()
	}
	if err != nil && !q.w.begun {
		return q.showError(s3Error(q, err))
	}
	return err
}

// handleRead runs the read that the visitor asked for.
func (q *request) handleRead() error { return q.g.handlers[q.op](q) }

// headSite looks up the object that is to be shown.
func (q *request) headSite(b *volume.Bucket) (holdfast.Entry, error) {
	if err := s3api.CheckKey(q.target.Key); err != nil {
		return holdfast.Entry{}, err
	}
	return q.head(b, volume.Version{})
}

// isDirectory reports whether the key is not there but would have an index document as a directory, one that the visitor may read.
func (q *request) isDirectory(b *volume.Bucket, key string) bool {
	if _, err := b.Head(q.ctx, key, volume.Version{}); !holdfast.Is(err, holdfast.NotFound) {
		return false
	}
	defer func(key string) { q.target.Key = key }(q.target.Key)
	q.target.Key = key + "/" + q.site.config.Index
	_, err := q.headSite(b)
	return err == nil
}

// toDirectory sends the visitor to the directory, as S3 does: a redirect with a page about it.
func (q *request) toDirectory() error {
	e := s3api.E(s3api.Found).WithHeader("Location", "/"+q.site.raw+"/")
	s3api.SetErrorHeaders(q.w.Header(), e)
	return e
}

// route redirects the visitor if a rule says so. err is how the request would end.
func (q *request) route(key string, err error, directory bool) (bool, error) {
	status := http.StatusOK
	switch {
	case directory:
		status = http.StatusFound
	case err != nil:
		status = s3Error(q, err).Status()
	}
	for i := range q.site.config.Rules {
		rule := &q.site.config.Rules[i]
		if !rule.Match(key, status) {
			continue
		}
		to, code := &rule.Redirect, http.StatusMovedPermanently
		if to.Status != 0 {
			code = to.Status
		}
		raw := q.site.raw
		switch {
		case to.ReplaceKey != nil:
			return true, q.redirect(q.elsewhere(to, *to.ReplaceKey), code)
		case to.ReplaceKeyPrefix != nil:
			rest := key
			if rule.Prefix != nil {
				rest = strings.TrimPrefix(key, *rule.Prefix)
			}
			raw = *to.ReplaceKeyPrefix + (&url.URL{Path: "/" + rest}).EscapedPath()[1:]
		}
		return true, q.redirect(q.away(to, raw), code)
	}
	return false, nil
}

// away is the URL of a redirect to a key, given escaped, with the query of the request.
func (q *request) away(to *s3api.WebsiteRedirect, raw string) string {
	location := q.elsewhere(to, raw)
	if q.r.URL.RawQuery != "" {
		location += "?" + q.r.URL.RawQuery
	}
	return location
}

// elsewhere is the URL of a path, given escaped and without its slash.
func (q *request) elsewhere(to *s3api.WebsiteRedirect, raw string) string {
	scheme, host := to.Protocol, to.HostName
	if scheme == "" {
		scheme = q.scheme()
	}
	if host == "" {
		host = q.r.Host
	}
	return scheme + "://" + host + "/" + raw
}

func (q *request) redirect(location string, status int) error {
	h := q.w.Header()
	h.Set("Location", location)
	h.Set("Content-Length", "0")
	q.w.WriteHeader(status)
	return nil
}

// redirectLocation is where the object itself sends visitors; "" if it is to be shown.
func redirectLocation(e *holdfast.Entry) string {
	for _, h := range e.Headers {
		if h.Name == "x-amz-website-redirect-location" {
			return h.Value
		}
	}
	return ""
}

// showError answers an error of the visitor's own (4XX) with the site's error document, if it has one that can be read. The visitor's
// conditions and range are not about that document.
func (q *request) showError(e *s3api.Error) error {
	status := e.Status()
	if q.site.config.ErrorKey == "" || status < 400 || status > 499 || q.op != s3api.OpGetObject {
		return e
	}
	plain := *q.r
	plain.Header = q.r.Header.Clone()
	for _, name := range [...]string{"Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"} {
		plain.Header.Del(name)
	}
	q.r, q.target.Key, q.w.instead = &plain, q.site.config.ErrorKey, status
	s3api.SetErrorHeaders(q.w.Header(), e)
	err := q.handleRead()
	if err == nil || q.w.begun {
		q.w.code = string(e.Code)
		return err
	}
	q.w.instead = 0
	for _, name := range [...]string{"X-Amz-Error-Code", "X-Amz-Error-Message", "X-Amz-Error-Detail-Key"} {
		q.w.Header().Del(name)
	}
	q.site.second = s3Error(q, err)
	return e
}
