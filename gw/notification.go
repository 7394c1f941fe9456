package gw

import (
	"context"
	"strconv"
	"strings"

	"holdfast/gw/s3api"
	"holdfast/volume"
)

// EventTargets knows where events can be sent.
type EventTargets interface {
	// Known reports whether there is a target of this ARN. Safe for concurrent use.
	Known(arn string) bool

	// Test has the target told that a bucket will send it events. request and host are the ids of the request that set it up.
	Test(ctx context.Context, arn, bucket, request, host string) error
}

// notification is which events of a bucket go where
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html).
func notification() setting {
	return setting{
		name: "notification", put: s3api.OpPutBucketNotificationConfiguration,
		unset: new(s3api.NotificationConfig).Append(nil), check: checkNotification,
	}
}

// checkNotification refuses targets that are not there, even if the client asks to skip that
// (x-amz-skip-destination-validation): S3 lets a target be made later, but here an unknown one is a typing error.
func checkNotification(q *request, _ *volume.Bucket, doc []byte) ([]byte, error) {
	c, err := s3api.DecodeNotification(doc)
	if err != nil || len(c.Rules) == 0 {
		return nil, err
	}
	var refused *s3api.Error
	n := 0
	for _, r := range c.Rules {
		if q.g.targets != nil && q.g.targets.Known(r.ARN) {
			continue
		}
		if refused == nil {
			refused = s3api.E(s3api.InvalidArgument).WithMessage("Unable to validate the following destination configurations")
		}
		n++
		refused.With("ArgumentName"+strconv.Itoa(n), r.ARN).With("ArgumentValue"+strconv.Itoa(n), missingTarget[r.Kind])
	}
	if refused != nil {
		return nil, refused
	}
	return c.Append(nil), q.testTargets(&c)
}

// missingTarget is what S3 says of a destination that is not there, by the kind of the rule that names it.
var missingTarget = [...]string{
	s3api.TopicNotification:    "The destination topic does not exist",
	s3api.QueueNotification:    "The destination queue does not exist",
	s3api.FunctionNotification: "The destination Lambda does not exist",
}

// testTargets sends the test event that S3 sends when a bucket is set up, unless the client asks to skip that.
func (q *request) testTargets(c *s3api.NotificationConfig) error {
	if strings.EqualFold(q.r.Header.Get("X-Amz-Skip-Destination-Validation"), "true") {
		return nil
	}
	told := make(map[string]bool)
	for _, r := range c.Rules {
		if told[r.ARN] {
			continue
		}
		told[r.ARN] = true
		if err := q.g.targets.Test(q.ctx, r.ARN, q.target.Bucket, q.id.Request, q.id.Host); err != nil {
			return err
		}
	}
	return nil
}
