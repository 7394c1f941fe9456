package gw

import (
	"net/http"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// cors is which pages of other sites may use a bucket from a browser
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html).
func cors() setting {
	return setting{
		name: "cors", put: s3api.OpPutBucketCors, absent: s3api.NoSuchCORSConfiguration,
		check: func(_ *request, _ *volume.Bucket, doc []byte) ([]byte, error) {
			c, err := s3api.DecodeCORS(doc)
			if err != nil {
				return nil, err
			}
			return c.Append(nil), nil
		},
	}
}

// corsVary names the request headers that answers with CORS headers depend on, in the order of S3.
const corsVary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"

// corsNotAllowed is what S3 says, with its spelling.
const corsNotAllowed = "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / " +
	"Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."

// corsRequest reads what a browser says of the page that asks. The method is that of the request itself unless the request
// names one, even if it is no preflight, as in S3.
func (q *request) corsRequest() s3api.CORSRequest {
	h := q.r.Header
	req := s3api.CORSRequest{
		Origin: h.Get("Origin"), Method: h.Get("Access-Control-Request-Method"),
		Headers: s3api.ParseCORSHeaders(strings.Join(h.Values("Access-Control-Request-Headers"), ",")),
	}
	if req.Method == "" {
		req.Method = q.r.Method
	}
	return req
}

// corsRules returns the rules of the request's bucket, false if it has none.
func (q *request) corsRules() (*s3api.CORSConfig, bool, error) {
	b, err := q.g.volume.Bucket(q.ctx, q.target.Bucket)
	if err != nil {
		return nil, false, err
	}
	return parseSetting(&q.g.parsed, b, "cors", func(doc []byte) (*s3api.CORSConfig, error) {
		c, err := s3api.DecodeCORS(doc)
		return &c, err
	})
}

// allowOrigin lets the page of another site read the answer, an error too, if a rule of the bucket allows it. Without one the request
// is served all the same: it is the browser that then keeps the answer from the page.
func (q *request) allowOrigin() {
	if !q.target.HasBucket() || q.r.Header.Get("Origin") == "" {
		return
	}
	rules, ok, err := q.corsRules()
	if err != nil || !ok {
		return // the operation itself meets the same error, and says so
	}
	req := q.corsRequest()
	if rule := rules.Match(req); rule != nil {
		setCORS(q.w.Header(), rule, req)
	}
}

// preflight serves OPTIONS: may a page of another site make this request
// (https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html)? Browsers send it without credentials, and it is
// answered from the rules of the bucket alone; the object need not be there.
func preflight(q *request) error {
	req := q.corsRequest()
	resource := "BUCKET"
	switch {
	case req.Origin == "":
		return s3api.E(s3api.BadRequest).WithMessage("Insufficient information. Origin request header needed.")
	case !q.target.HasBucket():
		return corsForbidden("CORSResponse: Bucket not found", req, resource)
	}
	rules, ok, err := q.corsRules()
	switch {
	case holdfast.Is(err, holdfast.NotFound):
		return corsForbidden("CORSResponse: Bucket not found", req, resource)
	case err != nil:
		return err
	case !ok:
		return corsForbidden("CORSResponse: CORS is not enabled for this bucket.", req, resource)
	}
	if asked := q.r.Header.Get("Access-Control-Request-Method"); !s3api.CORSMethod(asked) {
		if asked == "" {
			asked = "null"
		}
		return s3api.E(s3api.BadRequest).WithMessage("Invalid Access-Control-Request-Method: " + asked)
	}
	if q.target.HasKey() {
		resource = "OBJECT"
	}
	rule := rules.Match(req)
	if rule == nil {
		return corsForbidden(corsNotAllowed, req, resource)
	}
	h := q.w.Header()
	setCORS(h, rule, req)
	h.Set("Content-Length", "0")
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func corsForbidden(message string, req s3api.CORSRequest, resource string) error {
	return s3api.E(s3api.AccessForbidden).WithMessage(message).With("Method", req.Method).With("ResourceType", resource)
}

// setCORS sets the headers of an answer that the rule allows. A rule for every origin allows no credentials: browsers refuse the
// two together.
func setCORS(h http.Header, rule *s3api.CORSRule, req s3api.CORSRequest) {
	h.Set("Access-Control-Allow-Origin", "*")
	if !rule.EveryOrigin() {
		h.Set("Access-Control-Allow-Origin", req.Origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(rule.AllowedMethods, ", "))
	if len(req.Headers) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(req.Headers, ", "))
	}
	if len(rule.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(rule.ExposeHeaders, ", "))
	}
	if rule.MaxAgeSeconds != nil {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(*rule.MaxAgeSeconds)))
	}
	h.Set("Vary", corsVary)
}
