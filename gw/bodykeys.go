package gw

import (
	"holdfast/gw/policy"
	"holdfast/gw/s3api"
)

// bodyKey is a condition key whose value an operation has in its document.
type bodyKey struct {
	op  s3api.Op
	key policy.Key
}

// bodyKeys tells how to read them.
var bodyKeys = map[bodyKey]func(doc []byte, name string) (policy.Value, error){
	{s3api.OpPutObjectTagging, policy.KeyRequestObjectTag}: bodyTag(policy.KeyRequestObjectTag),
	{s3api.OpPutObjectTagging, policy.KeyRequestTagKeys}:   bodyTag(policy.KeyRequestTagKeys),
	{s3api.OpPutObjectRetention, policy.KeyLockMode}: func(doc []byte, _ string) (policy.Value, error) {
		r, err := s3api.DecodeRetention(doc)
		return policy.Text(string(r.Mode)), err
	},
	{s3api.OpPutObjectRetention, policy.KeyLockUntil}: func(doc []byte, _ string) (policy.Value, error) {
		r, err := s3api.DecodeRetention(doc)
		return policy.Instant(r.Until), err
	},
	{s3api.OpPutObjectRetention, policy.KeyLockDays}: func(doc []byte, _ string) (policy.Value, error) {
		r, err := s3api.DecodeRetention(doc)
		return lockDays(r.Until), err
	},
	{s3api.OpPutObjectLegalHold, policy.KeyLegalHold}: func(doc []byte, _ string) (policy.Value, error) {
		on, err := s3api.DecodeLegalHold(doc)
		if on {
			return policy.Text("ON"), err
		}
		return policy.Text("OFF"), err
	},
	{s3api.OpPutBucketOwnershipControls, policy.KeyObjectOwnership}: func(doc []byte, _ string) (policy.Value, error) {
		o, err := s3api.DecodeOwnershipControls(doc)
		return policy.Text(string(o)), err
	},
	{s3api.OpCreateBucket, policy.KeyLocation}: func(doc []byte, _ string) (policy.Value, error) {
		location, err := s3api.DecodeCreateBucket(doc)
		if location == "" {
			return policy.Value{}, err
		}
		return policy.Text(location), err
	},
}

func bodyTag(key policy.Key) func(doc []byte, name string) (policy.Value, error) {
	return func(doc []byte, name string) (policy.Value, error) {
		tags, err := s3api.DecodeTagging(doc, s3api.MaxObjectTags)
		return tagValue(tags, key, name), err
	}
}

// inBody reads a value from the request's document. A document that cannot be read leaves the question without an answer.
func (k *ask) inBody(read func(doc []byte, name string) (policy.Value, error), name string) policy.Value {
	var doc []byte
	var err error
	if k.q.body.size() != 0 {
		doc, err = k.q.document(k.q.op)
	}
	var v policy.Value
	if err == nil {
		v, err = read(doc, name)
	}
	if err != nil {
		k.err = err
		return policy.Value{}
	}
	return v
}

// tagValue returns a tag that the request sets, or the keys of all.
func tagValue(tags []s3api.Tag, key policy.Key, name string) policy.Value {
	keys := make([]string, 0, len(tags))
	for _, t := range tags {
		if key == policy.KeyRequestObjectTag && t.Key == name {
			return policy.Text(t.Value)
		}
		keys = append(keys, t.Key)
	}
	if key == policy.KeyRequestObjectTag {
		return policy.Value{}
	}
	return policy.List(keys)
}
