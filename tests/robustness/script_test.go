package robustness

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"

	"holdfast"
	"holdfast/volume"
)

const bucketName = "bucket"

// partSize is more than the volume keeps for replay, so that parts stream, and more than one block.
const partSize = 100_000

// client does what users do and tells the ledger.
type client struct {
	store   *store
	ledger  *ledger
	uploads map[string]uploadRef
}

// step is one request of a script.
type step func(*client) error

// errSkipped is returned by a step that an earlier failure made impossible.
var errSkipped = errors.New("an earlier step failed")

func call(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), callsWithin)
	defer cancel()
	return f(ctx)
}

// on runs f on the bucket of the scripts.
func (c *client) on(f func(context.Context, *volume.Bucket) error) error {
	return call(func(ctx context.Context) error {
		b, err := c.store.volume.Bucket(ctx, bucketName)
		if err != nil {
			return err
		}
		return f(ctx, b)
	})
}

func makeBucket(name string) step {
	return func(c *client) error {
		end := attempt(c.ledger.buckets, name, true, unfinished)
		err := call(func(ctx context.Context) error {
			_, err := c.store.volume.CreateBucket(ctx, holdfast.BucketInfo{Name: name, Owner: "owner"})
			return err
		})
		end(err)
		return err
	}
}

func dropBucket(name string) step {
	return func(c *client) error {
		end := attempt(c.ledger.buckets, name, false, unfinished)
		err := call(func(ctx context.Context) error { return c.store.volume.DeleteBucket(ctx, name) })
		end(err)
		return err
	}
}

// put stores size seeded bytes, in one go.
func put(key string, seed uint64, size int) step {
	return func(c *client) error {
		want := content{seed: seed, sizes: [4]int{size}, there: true}
		end := attempt(c.ledger.keys, key, want, unknown)
		err := c.on(func(ctx context.Context, b *volume.Bucket) error {
			_, err := b.Put(ctx, key, volume.PutRequest{Body: bytes.NewReader(want.bytes()), Size: int64(size)})
			return err
		})
		end(err)
		return err
	}
}

// remove deletes keys with one request.
func remove(keys ...string) step {
	return func(c *client) error {
		ends := make([]func(error), len(keys))
		requests := make([]volume.DeleteRequest, len(keys))
		for i, key := range keys {
			ends[i] = attempt(c.ledger.keys, key, content{}, unknown)
			requests[i].Key = key
		}
		var results []volume.DeleteResult
		var failures []error
		err := c.on(func(ctx context.Context, b *volume.Bucket) error {
			results = b.Delete(ctx, requests)
			return nil
		})
		for i, end := range ends {
			one := err
			if err == nil {
				one = results[i].Err
			}
			end(one)
			failures = append(failures, one)
		}
		return errors.Join(failures...)
	}
}

// copyTo copies an object whose content is certain.
func copyTo(from, to string) step {
	return func(c *client) error {
		if len(c.ledger.keys[from]) != 1 {
			return errSkipped
		}
		end := attempt(c.ledger.keys, to, c.ledger.keys[from][0], unknown)
		err := c.on(func(ctx context.Context, b *volume.Bucket) error {
			src, err := b.Open(ctx, from, volume.Version{})
			if err != nil {
				return err
			}
			_, err = b.Copy(ctx, src, to, volume.CopyRequest{})
			return err
		})
		end(err)
		return err
	}
}

// begin begins an upload under a name of the script's.
func begin(name, key string) step {
	return func(c *client) error {
		end := attempt(c.ledger.uploads, name, true, unfinished)
		err := c.on(func(ctx context.Context, b *volume.Bucket) error {
			up, err := b.CreateUpload(ctx, key, holdfast.Upload{Initiator: "owner"})
			if err == nil {
				c.uploads[name] = uploadRef{key, up.ID}
			}
			return err
		})
		end(err)
		return err
	}
}

func partName(upload string, number int) string { return fmt.Sprintf("%s#%d", upload, number) }

// part stores a part of an upload; the seed of the object's content is that of part 1.
func part(upload string, number int, seed uint64, size int) step {
	return func(c *client) error {
		up, ok := c.uploads[upload]
		if !ok {
			return errSkipped
		}
		data := piece(seed+uint64(number-1), size)
		want := content{seed: seed, there: true}
		want.sizes[number-1] = size
		end := attempt(c.ledger.parts, partName(upload, number), want, unknown)
		err := c.on(func(ctx context.Context, b *volume.Bucket) error {
			_, err := b.PutPart(ctx, up.key, up.id, volume.PartRequest{
				Number: number, ETag: etag(data), Body: bytes.NewReader(data), Size: int64(size),
			})
			return err
		})
		end(err)
		return err
	}
}

func etag(data []byte) (e holdfast.ETag) {
	e, _ = holdfast.ParseETag(fmt.Sprintf("%x", md5.Sum(data))) // it is one
	return e
}

// complete makes an object of parts 1 … n, all of which must have been acknowledged.
func complete(upload string, n int) step {
	return func(c *client) error {
		up, ok := c.uploads[upload]
		want := content{there: true}
		req := volume.CompleteRequest{}
		for i := 1; i <= n; i++ {
			p := c.ledger.parts[partName(upload, i)]
			if ok = ok && len(p) == 1 && p[0].there; !ok {
				return errSkipped
			}
			want.seed, want.sizes[i-1] = p[0].seed, p[0].sizes[i-1]
			req.Parts = append(req.Parts, holdfast.CompletedPart{Number: i, ETag: etag(piece(p[0].seed+uint64(i-1), p[0].sizes[i-1]))})
		}
		endKey, endUpload := attempt(c.ledger.keys, up.key, want, unknown), attempt(c.ledger.uploads, upload, false, unknown)
		err := c.on(func(ctx context.Context, b *volume.Bucket) error {
			_, err := b.CompleteUpload(ctx, up.key, up.id, req)
			return err
		})
		endKey(err)
		endUpload(err)
		return err
	}
}

func abort(upload string) step {
	return func(c *client) error {
		up, ok := c.uploads[upload]
		if !ok {
			return errSkipped
		}
		end := attempt(c.ledger.uploads, upload, false, unfinished)
		err := c.on(func(ctx context.Context, b *volume.Bucket) error { return b.AbortUpload(ctx, up.key, up.id) })
		end(err)
		return err
	}
}

// read returns an object's bytes, nil if there is no such key.
func (c *client) read(key string) (data []byte, err error) {
	err = c.on(func(ctx context.Context, b *volume.Bucket) error {
		return b.Read(ctx, key, volume.Version{}, func(o *volume.Object) error {
			var buf bytes.Buffer
			_, err := o.WriteRange(ctx, &buf, 0, o.Entry().Size)
			if data = buf.Bytes(); data == nil {
				data = []byte{}
			}
			return err
		})
	})
	if holdfast.Is(err, holdfast.NotFound) && !errors.Is(err, volume.ErrNoBucket) {
		return nil, nil
	}
	return data, err
}

// script is a sequence of requests; those of prepare are done, and the store closed, before anything goes wrong.
type script struct {
	name    string
	prepare []step
	steps   []step
}

// scripts change everything that can be changed, in ways that need one name server and several.
func scripts() []script {
	var many []string
	var puts []step
	for i := range 24 {
		key := fmt.Sprintf("many/%d/k%d", i%5, i)
		many = append(many, key)
		puts = append(puts, put(key, uint64(1000+i), i*700))
	}
	return append(versionScripts(), []script{
		{"put", nil, []step{
			put("top", 1, 5000), put("new/dir/a", 2, 30<<10), put("new/dir/b", 3, 0), put("new/c", 4, 129<<10),
		}},
		{"overwrite", []step{put("top", 1, 5000), put("d/e/a", 2, 40<<10)}, []step{
			put("top", 11, 5000), put("d/e/a", 12, 300_000), put("d/e/a", 13, 10),
		}},
		{"stream", nil, []step{put("s/large", 21, 3<<20+12345), put("s/large", 22, 1<<20+1)}},
		{"multipart", []step{put("mp/key", 31, 7000)}, []step{
			begin("u", "mp/key"), part("u", 2, 40, partSize), part("u", 1, 40, partSize+7), part("u", 3, 40, 10),
			complete("u", 3), begin("v", "mp/other/key"), part("v", 1, 50, partSize), abort("v"),
			begin("w", "mp/left"), part("w", 1, 60, partSize), part("w", 1, 70, partSize+1),
		}},
		{"delete", []step{put("top", 1, 5000), put("x/y/z/only", 2, 70_000), put("x/other", 3, 10)}, []step{
			remove("x/y/z/only"), remove("top"), put("x/y/z/again", 4, 100), remove("x/y/z/again"), remove("absent"),
		}},
		{"multi-delete", puts, []step{remove(many[:20]...), put("many/0/k0", 5, 9), remove(append(many, "absent")...)}},
		{"copy", []step{put("from/small", 1, 9000), put("from/large", 2, 400_000)}, []step{
			copyTo("from/small", "to/new/small"), copyTo("from/large", "to/large"), copyTo("from/large", "from/small"),
		}},
		{"buckets", nil, []step{makeBucket("second"), dropBucket("second"), makeBucket("second"), makeBucket("third"), dropBucket("third")}},
	}...)
}
