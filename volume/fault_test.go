package volume_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// quiet keeps the background work away, so that faults hit the calls they are meant for.
func quiet(o *volume.Options) { o.IntentEvery = time.Hour }

func openFaulty(t *testing.T, names int, set ...func(*volume.Options)) (*cluster, *volumetest.Faults, *volume.Volume) {
	c := newCluster(names, 2)
	f := &volumetest.Faults{Services: c.census}
	return c, f, volumetest.Start(t, f, append([]func(*volume.Options){quiet}, set...)...)
}

// nth lets the n-th call of a name go wrong and counts them.
func nth(n int, fault volumetest.Fault, calls *int, match func(string) bool) func(string) volumetest.Fault {
	return func(call string) volumetest.Fault {
		if !match(call) {
			return volumetest.NoFault
		}
		*calls++
		if *calls-1 == n {
			return fault
		}
		return volumetest.NoFault
	}
}

// TestEachCallFailsOnce runs each operation with its first, second, third … call lost or unanswered, until it
// needs no more calls. The operation must succeed all the same and leave exactly what it leaves without faults.
func TestEachCallFailsOnce(t *testing.T) {
	data := volumetest.Data(1, 3000)
	large := volumetest.Data(2, 300<<10)
	steps := []struct {
		name   string
		before func(*testing.T, *volume.Bucket)
		do     func(context.Context, *volume.Bucket) error
		want   map[string][]byte // nil: not there
	}{
		{
			name: "put in new directories",
			do:   func(ctx context.Context, b *volume.Bucket) error { return putErr(ctx, b, "n/e/w/key", data) },
			want: map[string][]byte{"n/e/w/key": data},
		},
		{
			name:   "overwrite",
			before: func(t *testing.T, b *volume.Bucket) { volumetest.MustPut(t, b, "a/b", []byte("old")) },
			do:     func(ctx context.Context, b *volume.Bucket) error { return putErr(ctx, b, "a/b", data) },
			want:   map[string][]byte{"a/b": data},
		},
		{
			name: "put if none",
			do: func(ctx context.Context, b *volume.Bucket) error {
				_, err := b.Put(ctx, "a/b", volume.PutRequest{If: holdfast.Conditions{IfNoneMatch: true}, Body: bytes.NewReader(data), Size: 3000})
				return err
			},
			want: map[string][]byte{"a/b": data},
		},
		{
			name: "delete two",
			before: func(t *testing.T, b *volume.Bucket) {
				volumetest.MustPut(t, b, "a/b", data)
				volumetest.MustPut(t, b, "b", data)
			},
			do: func(ctx context.Context, b *volume.Bucket) error {
				res := b.Delete(ctx, []volume.DeleteRequest{{Key: "a/b"}, {Key: "b"}})
				return errors.Join(res[0].Err, res[1].Err)
			},
			want: map[string][]byte{"a/b": nil, "b": nil},
		},
		{
			name:   "copy",
			before: func(t *testing.T, b *volume.Bucket) { volumetest.MustPut(t, b, "a/b", data) },
			do: func(ctx context.Context, b *volume.Bucket) error {
				src, err := b.Open(ctx, "a/b", volume.Version{})
				if err == nil {
					_, err = b.Copy(ctx, src, "to/c", volume.CopyRequest{})
				}
				return err
			},
			want: map[string][]byte{"a/b": data, "to/c": data},
		},
		{
			name: "multipart",
			do: func(ctx context.Context, b *volume.Bucket) error {
				up, err := b.CreateUpload(ctx, "m/n/o", holdfast.Upload{})
				if err != nil {
					return err
				}
				var req volume.CompleteRequest
				for i := range 2 {
					part := large[i*150<<10 : (i+1)*150<<10]
					p, err := b.PutPart(ctx, "m/n/o", up.ID, volume.PartRequest{
						Number: i + 1, ETag: holdfast.ETag{Digest: md5.Sum(part)}, Body: bytes.NewReader(part), Size: int64(len(part)),
					})
					if err != nil {
						return err
					}
					req.Parts = append(req.Parts, holdfast.CompletedPart{Number: i + 1, ETag: p.ETag})
				}
				_, err = b.CompleteUpload(ctx, "m/n/o", up.ID, req)
				return err
			},
			want: map[string][]byte{"m/n/o": large},
		},
		{
			name: "abort",
			do: func(ctx context.Context, b *volume.Bucket) error {
				up, err := b.CreateUpload(ctx, "m/n/o", holdfast.Upload{})
				if err != nil {
					return err
				}
				if _, err = b.PutPart(ctx, "m/n/o", up.ID, volume.PartRequest{Number: 1, Body: bytes.NewReader(data), Size: 3000}); err != nil {
					return err
				}
				return b.AbortUpload(ctx, "m/n/o", up.ID)
			},
			want: map[string][]byte{"m/n/o": nil},
		},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			for _, fault := range volumetest.AllFaults() {
				for n := 0; ; n++ {
					c, faults, v := openFaulty(t, 2)
					b := volumetest.MakeBucket(t, v, "bucket")
					if step.before != nil {
						step.before(t, b)
					}
					calls := 0
					// A large body that was being read when its create failed cannot be sent again: not tried here.
					faults.Decide(nth(n, fault, &calls, func(call string) bool { return call != "create" || fault == volumetest.Lost }))
					err := step.do(t.Context(), b)
					faults.Decide(nil)
					if err != nil {
						t.Fatalf("call %d, fault %d: %v", n, fault, err)
					}
					for key, want := range step.want {
						if want != nil {
							volumetest.WantGet(t, b, key, volume.Version{}, want)
						} else if _, err := b.Head(t.Context(), key, volume.Version{}); !holdfast.Is(err, holdfast.NotFound) {
							t.Fatalf("call %d, fault %d: %q is there: %v", n, fault, key, err)
						}
					}
					c.census.WantLinks(t, b)
					if calls <= n {
						break
					}
				}
			}
		})
	}
}

func putErr(ctx context.Context, b *volume.Bucket, key string, data []byte) error {
	_, err := b.Put(ctx, key, volume.PutRequest{Body: bytes.NewReader(data), Size: int64(len(data))})
	return err
}

// TestRandomFaults lets one call in three go wrong, with too little time to retry some of them away. What was acknowledged
// must be there; what was not may be or not, and stays so.
func TestRandomFaults(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	for _, names := range []int{1, 3} {
		for name, services := range map[string]volume.Services{"memory": newCluster(names, 2), "engines": openEngines(t, names, 2)} {
			t.Run(fmt.Sprint(name, names), func(t *testing.T) { randomFaults(t, services, seed+uint64(names)) })
		}
	}
}

const randomRounds = 250

func randomFaults(t *testing.T, services volume.Services, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	census := volumetest.NewCensus(services)
	faults := &volumetest.Faults{Services: census}
	v := volumetest.Start(t, faults, func(o *volume.Options) {
		o.RetryFor = 3 * time.Millisecond
		o.IntentEvery, o.IntentAge = 5*time.Millisecond, 10*time.Millisecond
	})
	b := volumetest.MakeBucket(t, v, "bucket")
	chaos := rand.New(rand.NewPCG(seed, 99))
	decide := func(string) volumetest.Fault {
		if chaos.IntN(3) == 0 {
			return volumetest.AllFaults()[chaos.IntN(len(volumetest.AllFaults()))]
		}
		return volumetest.NoFault
	}
	held := make(map[string][]byte)
	failed := 0
	for i := range randomRounds {
		key := fmt.Sprintf("%d/%d/%d", rng.IntN(3), rng.IntN(3), rng.IntN(2))
		data := volumetest.Data(uint64(i), 1+rng.IntN(100))
		if rng.IntN(3) == 0 {
			data = nil
		}
		faults.Decide(decide)
		err := writeOrDelete(t.Context(), b, key, data)
		faults.Decide(nil)
		if err == nil {
			held[key] = data
			continue
		}
		failed++
		got, err := readOrNil(t.Context(), b, key)
		if err != nil || !bytes.Equal(got, held[key]) && !bytes.Equal(got, data) {
			t.Fatalf("round %d: %q holds %d bytes that are neither the old nor the new, %v", i, key, len(got), err)
		}
		held[key] = got
	}
	var model volumetest.Model
	for key, data := range held {
		got, err := readOrNil(t.Context(), b, key)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%q holds %d bytes, %v; want %d", key, len(got), err, len(data))
		}
		if data != nil {
			e, err := b.Head(t.Context(), key, volume.Version{})
			if err != nil {
				t.Fatal(err)
			}
			model.Put(key, e.Version, data)
		}
	}
	for _, delimiter := range []string{"", "/"} {
		o := volume.ListOptions{Delimiter: delimiter, Limit: 100}
		want, more := model.List(o)
		volumetest.WantList(t, b, o, want, more)
	}
	census.WantSettled(t)
	census.WantLinks(t, b)
	t.Logf("%d of %d operations failed", failed, randomRounds)
}

func writeOrDelete(ctx context.Context, b *volume.Bucket, key string, data []byte) error {
	if data == nil {
		return b.Delete(ctx, []volume.DeleteRequest{{Key: key}})[0].Err
	}
	return putErr(ctx, b, key, data)
}

func readOrNil(ctx context.Context, b *volume.Bucket, key string) ([]byte, error) {
	var out bytes.Buffer
	err := b.Read(ctx, key, volume.Version{}, func(o *volume.Object) error {
		_, err := o.WriteRange(ctx, &out, 0, o.Entry().Size)
		return err
	})
	if holdfast.Is(err, holdfast.NotFound) {
		return nil, nil
	}
	return out.Bytes(), err
}

// TestFailedPutsLeaveNothing checks that the bytes of commits that certainly failed are freed at once.
func TestFailedPutsLeaveNothing(t *testing.T) {
	c, _, v := openFaulty(t, 2)
	b := volumetest.MakeBucket(t, v, "bucket")
	volumetest.MustPut(t, b, "a/b", []byte("there"))
	stored := func() (n int64) {
		for _, o := range c.objects {
			st, err := o.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			n += st.Objects
		}
		return n
	}
	before := stored()
	other := holdfast.ETag{Digest: md5.Sum([]byte("other"))}
	refused := errors.New("refused")
	for name, req := range map[string]volume.PutRequest{
		"condition": {If: holdfast.Conditions{IfMatch: &other}},
		"exists":    {If: holdfast.Conditions{IfNoneMatch: true}},
		"finish":    {Finish: func(*holdfast.Entry) error { return refused }},
	} {
		for _, size := range []int{10, 100 << 10} {
			req.Body, req.Size = bytes.NewReader(make([]byte, size)), int64(size)
			if _, err := b.Put(t.Context(), "a/b", req); err == nil {
				t.Errorf("%s: the put succeeded", name)
			}
		}
	}
	if _, err := b.Put(t.Context(), "a/b", volume.PutRequest{Body: io.LimitReader(neverending{}, 9<<10), Size: 10 << 10}); !holdfast.Is(err, holdfast.Aborted) {
		t.Errorf("a short body: %v", err)
	}
	if got := stored(); got != before {
		t.Errorf("%d objects are stored; want %d", got, before)
	}
	c.census.WantLinks(t, b)
}

type neverending struct{}

func (neverending) Read(p []byte) (int, error) { return len(p), nil }

// gatedNames holds one Apply back.
type gatedNames struct {
	holdfast.NameService
	arrived, open chan struct{}
}

func (n *gatedNames) Apply(ctx context.Context, txs []holdfast.Tx) ([]holdfast.Result, error) {
	if _, ok := txs[0].Ops[0].(holdfast.PutEntry); ok {
		n.arrived <- struct{}{}
		<-n.open
	}
	return n.NameService.Apply(ctx, txs)
}

// TestUpdateWaitsForCommitsElsewhere holds a commit back on a name server that does not know the bucket's epoch: a change of the bucket's
// record must not return before it.
func TestUpdateWaitsForCommitsElsewhere(t *testing.T) {
	c, _, v := openFaulty(t, 2)
	b := volumetest.MakeBucket(t, v, "bucket")
	var key string
	gated := &gatedNames{arrived: make(chan struct{}), open: make(chan struct{})}
	root := c.slots.Owner(b.Info().Root)
	for i := 0; key == ""; i++ { // find a directory that is not with the bucket's root
		dir := fmt.Sprint(i, "/")
		volumetest.MustPut(t, b, dir+"x", nil)
		as, err := c.names[root].Lookup(t.Context(), []holdfast.Lookup{{Dir: b.Info().Root, Path: []string{dir}, Want: holdfast.WantDir}})
		if err != nil {
			t.Fatal(err)
		}
		if c.slots.Owner(as[0].Dirs[0]) != root {
			key = dir + "key"
		}
	}
	for id, n := range c.names {
		if id != root {
			gated.NameService = n
			c.SetName(id, gated)
		}
	}
	put, updated := make(chan error, 1), make(chan error, 1)
	go func() { put <- putErr(t.Context(), b, key, []byte("x")) }()
	<-gated.arrived
	before := b.Info().Epoch
	go func() {
		on := holdfast.VersioningEnabled
		_, err := v.UpdateBucket(t.Context(), "bucket", volume.BucketChange{Versioning: &on})
		updated <- err
	}()
	for epoch := before; epoch == before; { // until the change has taken effect
		epoch = volumetest.GetBucket(t, v, "bucket").Info().Epoch
	}
	select {
	case err := <-updated:
		t.Errorf("the change returned while a commit under the old record was under way: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	close(gated.open)
	if err := errors.Join(<-put, <-updated); err != nil {
		t.Fatal(err)
	}
}
