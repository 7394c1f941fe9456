package volume

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"slices"

	"holdfast"
)

// ServiceBucketName is the name of the bucket in which the store keeps what it needs for itself. No S3 request reaches it: the name is
// not one that S3 allows.
const ServiceBucketName = ".holdfast"

// ServiceBucket returns the service bucket and makes it on first use.
func (v *Volume) ServiceBucket(ctx context.Context) (*Bucket, error) {
	b, err := v.Bucket(ctx, ServiceBucketName)
	if !holdfast.Is(err, holdfast.NotFound) {
		return b, err
	}
	_, err = v.CreateBucket(ctx, holdfast.BucketInfo{Name: ServiceBucketName})
	if err != nil && !holdfast.Is(err, holdfast.Exists) {
		return nil, err
	}
	return v.Bucket(ctx, ServiceBucketName)
}

// withoutService drops the service bucket from a list of buckets: it is nobody's.
func withoutService(infos []*holdfast.BucketInfo) []*holdfast.BucketInfo {
	return slices.DeleteFunc(infos, func(b *holdfast.BucketInfo) bool { return b.Name == ServiceBucketName })
}

// MaxRecord bounds the value of a [Record] in bytes.
const MaxRecord = 8 << 10

// Record is a small value in the service bucket: a cursor, a lease, the state of background work. Records live in the name servers
// alone, so writing one costs one commit.
type Record struct {
	Value string
	Tag   holdfast.ETag // names this writing of the record; zero for one that is not there
}

// recordHeader is the header of the empty object under which a record's value is stored.
const recordHeader = "record"

// ReadRecord returns the record with this key of the service bucket, the zero Record if there is none.
func (v *Volume) ReadRecord(ctx context.Context, key string) (Record, error) {
	b, err := v.ServiceBucket(ctx)
	if err != nil {
		return Record{}, err
	}
	e, err := b.Head(ctx, key, Version{})
	if holdfast.Is(err, holdfast.NotFound) {
		return Record{}, nil
	}
	if err != nil {
		return Record{}, err
	}
	return Record{Value: e.Header(recordHeader), Tag: e.ETag}, nil
}

// WriteRecord replaces a record if it still is the one whose tag is given, the zero tag meaning that there is none. It returns
// the new tag. Kinds: Precondition, also for a record that is gone; Unknown; TooLarge.
func (v *Volume) WriteRecord(ctx context.Context, key, value string, was holdfast.ETag) (holdfast.ETag, error) {
	cond := holdfast.Conditions{IfMatch: &was}
	if was.IsZero() {
		cond = holdfast.Conditions{IfNoneMatch: true}
	}
	tag, err := v.writeRecord(ctx, key, value, cond)
	if holdfast.Is(err, holdfast.NotFound) {
		err = &holdfast.Error{Op: "volume.write record", Kind: holdfast.Precondition, ID: key, Err: err}
	}
	return tag, err
}

// SetRecord replaces a record, whatever it was.
func (v *Volume) SetRecord(ctx context.Context, key, value string) error {
	_, err := v.writeRecord(ctx, key, value, holdfast.Conditions{})
	return err
}

func (v *Volume) writeRecord(ctx context.Context, key, value string, cond holdfast.Conditions) (holdfast.ETag, error) {
	if len(value) > MaxRecord {
		return holdfast.ETag{}, fail("write record", holdfast.TooLarge, key)
	}
	b, err := v.ServiceBucket(ctx)
	if err != nil {
		return holdfast.ETag{}, err
	}
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return holdfast.ETag{}, wrap("write record", key, err)
	}
	tag := holdfast.ETag{Digest: md5.Sum(append(nonce[:], value...))}
	e := holdfast.Entry{ETag: tag, Headers: []holdfast.Header{{Name: recordHeader, Value: value}}}
	_, err = b.Put(ctx, key, PutRequest{Entry: e, If: cond})
	return tag, err
}

// DropRecord removes a record if it still is the one with the tag; the zero tag means whatever it is. One that is gone is no error.
func (v *Volume) DropRecord(ctx context.Context, key string, was holdfast.ETag) error {
	b, err := v.ServiceBucket(ctx)
	if err != nil {
		return err
	}
	req := DeleteRequest{Key: key}
	if !was.IsZero() {
		req.If.IfMatch = &was
	}
	err = b.Delete(ctx, []DeleteRequest{req})[0].Err
	if holdfast.Is(err, holdfast.NotFound) {
		return nil
	}
	return err
}
