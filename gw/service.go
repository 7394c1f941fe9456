package gw

import (
	"encoding/base64"

	"holdfast/gw/s3api"
	"holdfast/volume"
)

// listBuckets serves ListBuckets (GET Service) with its paging
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html).
func listBuckets(q *request) error {
	limit, err := s3api.ParseMaxBuckets(q.query)
	if err != nil {
		return err
	}
	after, err := decodeToken(q.query.Get("continuation-token"))
	if err != nil {
		return err
	}
	answer := s3api.ListBucketsAnswer{Owner: q.owner(q.caller.User), Prefix: q.query.Get("prefix")}
	if region := q.query.Get("bucket-region"); region == "" || region == q.set.region {
		page, err := q.g.volume.Buckets(q.ctx, volume.BucketsOptions{After: after, Prefix: answer.Prefix, Owner: q.caller.User, Limit: limit})
		if err != nil {
			return err
		}
		for _, b := range page.Buckets {
			answer.Buckets = append(answer.Buckets, s3api.BucketEntry{Name: b.Name, Created: b.Created, Region: q.set.region})
		}
		if n := len(page.Buckets); page.More && n > 0 {
			answer.ContinuationToken = encodeToken(page.Buckets[n-1].Name)
		}
	}
	return q.sendXML(answer.Append)
}

// tokenMark begins continuation tokens, so that a later form can be told from this one.
const tokenMark = "1"

// encodeToken makes a continuation token of the name a page ended with.
func encodeToken(last string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenMark + last))
}

// decodeToken reads what encodeToken made; "" is the beginning.
func decodeToken(token string) (string, error) {
	if token == "" {
		return "", nil
	}
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(data) == 0 || string(data[:1]) != tokenMark {
		return "", s3api.BadArgument("continuation-token", token, "The continuation token provided is incorrect")
	}
	return string(data[1:]), nil
}
