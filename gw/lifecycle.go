package gw

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"time"

	"holdfast"
	"holdfast/gw/lifecycle"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// lifecycleSetting is the lifecycle configuration of a bucket
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html).
func lifecycleSetting() setting {
	return setting{
		name: lifecycle.Setting, put: s3api.OpPutBucketLifecycleConfiguration, absent: s3api.NoSuchLifecycleConfiguration,
		check: checkLifecycle,
	}
}

// transitionMinimum is the header about objects too small for a transition; there are none, so it only says the default.
const transitionMinimum = "X-Amz-Transition-Default-Minimum-Object-Size"

// defaultTransitionMinimum is what S3 says unless told otherwise.
const defaultTransitionMinimum = "all_storage_classes_128K"

// checkLifecycle validates a configuration and gives names to the rules without one.
func checkLifecycle(q *request, _ *volume.Bucket, doc []byte) ([]byte, error) {
	switch min := q.r.Header.Get(transitionMinimum); min {
	case "", defaultTransitionMinimum, "varies_by_storage_class":
	default:
		return nil, s3api.BadArgument("x-amz-transition-default-minimum-object-size", min, "")
	}
	l, err := s3api.DecodeLifecycle(doc, newRuleID)
	if err != nil {
		return nil, err
	}
	q.w.Header().Set(transitionMinimum, defaultTransitionMinimum)
	return s3api.AppendLifecycle(nil, l), nil
}

// getLifecycle answers with the configuration.
func getLifecycle(q *request) error {
	q.w.Header().Set(transitionMinimum, defaultTransitionMinimum)
	return lifecycleSetting().get(q)
}

// newRuleID makes a name of 48 characters for a rule, as S3 does.
func newRuleID() string {
	var random [36]byte
	_, _ = rand.Read(random[:]) // documented never to fail
	return base64.URLEncoding.EncodeToString(random[:])
}

// lifecycleRules returns the enabled rules of a bucket, nil if there are none.
func (q *request) lifecycleRules(info *holdfast.BucketInfo) *lifecycle.Rules {
	rules, ok, err := parseSettingOf(&q.g.parsed, info, lifecycle.Setting, func(doc []byte) (*lifecycle.Rules, error) {
		l, err := lifecycle.Parse(doc)
		if err != nil {
			return nil, err
		}
		return lifecycle.New(l, lifecycle.Day), nil
	})
	if err != nil || !ok || rules.Empty() {
		return nil // what was stored parses: it was checked
	}
	return rules
}

// setExpiration tells when the current version of the request's key expires, and by which rule. Days have 24 hours here, whatever a test
// made of them.
func (q *request) setExpiration(info *holdfast.BucketInfo, e *holdfast.Entry) {
	rules := q.lifecycleRules(info)
	if rules == nil {
		return
	}
	v := lifecycle.Version{Key: q.target.Key, Size: e.Size, Tags: e.Tags, Since: e.Modified}
	if due, rule := rules.Expiry(&v); rule != "" {
		q.w.Header().Set("X-Amz-Expiration", `expiry-date="`+due.Format(http.TimeFormat)+`", rule-id="`+
			string(s3api.AppendURLEncoded(nil, rule))+`"`)
	}
}

// setAbort tells when an upload of the request's key will be aborted, and by which rule.
func (q *request) setAbort(info *holdfast.BucketInfo, initiated time.Time) {
	rules := q.lifecycleRules(info)
	if rules == nil {
		return
	}
	if due, rule := rules.Abort(&lifecycle.Version{Key: q.target.Key, Since: initiated}); rule != "" {
		q.w.Header().Set("X-Amz-Abort-Date", due.Format(http.TimeFormat))
		q.w.Header().Set("X-Amz-Abort-Rule-Id", string(s3api.AppendURLEncoded(nil, rule)))
	}
}
