package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// door is the SDK's client of a gateway.
type door struct {
	name   string
	s3     *s3.Client
	bucket *string
}

// newDoor makes a client that tries everything once: tries are what histories are made of. Checksums are left to our own look at every byte.
func newDoor(g Gateway, o Options) door {
	return door{name: g.Name, bucket: o.bucket(), s3: s3.New(s3.Options{
		BaseEndpoint: aws.String(g.Endpoint), Region: "us-east-1", UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials:                credentials.NewStaticCredentialsProvider(o.AccessKey, o.SecretKey, ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		HTTPClient:                 &http.Client{Transport: &http.Transport{DialContext: g.Dial, MaxIdleConnsPerHost: o.Clients}},
	})}
}

// errNothing is joined to the error of an attempt that did nothing for certain, and told nothing.
var errNothing = errors.New("nothing was done")

// try makes one attempt. With nil it is settled; any other error leaves its outcome open, and the operation Unknown, but for [errNothing].
// values keeps and finds values by their ETag.
func (d *door) try(ctx context.Context, o Operation, values func(tag string, learn Value) Value) (Operation, error) {
	var err error
	switch o.Kind {
	case Put:
		err = d.put(ctx, &o, values)
	case Get:
		err = d.get(ctx, &o)
	case Delete:
		_, err = d.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: d.bucket, Key: &o.Key})
	case List:
		err = d.list(ctx, &o, values)
	}
	if err == nil {
		return o, nil
	}
	return judge(o, err)
}

// judge says what an error means for an operation.
func judge(o Operation, err error) (Operation, error) {
	code, status := codeOf(err), 0
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	var connection *net.OpError
	switch {
	case o.Kind == Get && code == "NoSuchKey":
		o.Value = None
		return o, nil
	case o.Condition != Always && code == "PreconditionFailed", o.Condition == IfMatch && code == "NoSuchKey":
		o.Outcome = Refused
		return o, nil
	case o.Condition != Always && code == "ConditionalRequestConflict", errors.As(err, &connection) && connection.Op == "dial":
		return o, errors.Join(err, errNothing)
	case status >= 400 && status < 500 && code != "RequestTimeout":
		o.Broken = fmt.Sprintf("the answer is %d %s", status, code)
	case o.Kind == Get || o.Kind == List:
		return o, errors.Join(err, errNothing)
	}
	o.Outcome = Unknown
	return o, err
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// summary returns what kind of error it is, without addresses and request ids.
func summary(err error) string {
	var connection *net.OpError
	switch code := codeOf(err); {
	case code != "":
		return code
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &connection):
		return fmt.Sprintf("%s: %v", connection.Op, connection.Err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	}
	return "others"
}

func (d *door) put(ctx context.Context, o *Operation, values func(string, Value) Value) error {
	body := content(o.Value)
	tag := etag(body)
	values(tag, o.Value)
	in := &s3.PutObjectInput{Bucket: d.bucket, Key: &o.Key, Body: bytes.NewReader(body)}
	switch o.Condition {
	case IfNone:
		in.IfNoneMatch = aws.String("*")
	case IfMatch:
		in.IfMatch = aws.String(etag(content(o.Match)))
	}
	out, err := d.s3.PutObject(ctx, in)
	if err == nil && aws.ToString(out.ETag) != tag {
		o.Broken = fmt.Sprintf("the ETag is %s, want %s", aws.ToString(out.ETag), tag)
	}
	return err
}

func (d *door) get(ctx context.Context, o *Operation) error {
	out, err := d.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: d.bucket, Key: &o.Key})
	if err != nil {
		return err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(io.LimitReader(out.Body, largeBytes*2))
	if err != nil {
		return err
	}
	o.Value, o.Broken = identify(body)
	if tag := aws.ToString(out.ETag); o.Broken == "" && tag != etag(body) {
		o.Broken = "the ETag is of another content: " + tag
	}
	return nil
}

// list lists the directory o.Key. It has few keys, so all are on one page.
func (d *door) list(ctx context.Context, o *Operation, values func(string, Value) Value) error {
	out, err := d.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: d.bucket, Prefix: &o.Key, Delimiter: aws.String("/")})
	if err != nil {
		return err
	}
	o.Listed = map[string]Value{}
	for _, e := range out.Contents {
		key, tag := aws.ToString(e.Key), aws.ToString(e.ETag)
		v := values(tag, None)
		if v == None {
			o.Broken = fmt.Sprintf("%s has an ETag that nobody wrote: %s", key, tag)
		}
		o.Listed[key] = v
	}
	if aws.ToBool(out.IsTruncated) || len(out.CommonPrefixes) > 0 {
		o.Broken = fmt.Sprintf("truncated %v, %d common prefixes", aws.ToBool(out.IsTruncated), len(out.CommonPrefixes))
	}
	return nil
}
