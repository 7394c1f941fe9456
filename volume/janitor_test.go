package volume_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// staged calls a hook before transactions with an operation of a kind go out.
type staged struct {
	volume.Services
	before func(holdfast.Op)
}

func (s staged) NameServer(ctx context.Context, id holdfast.ServiceID) (holdfast.NameService, error) {
	n, err := s.Services.NameServer(ctx, id)
	return stagedNames{n, s.before}, err
}

type stagedNames struct {
	holdfast.NameService
	before func(holdfast.Op)
}

func (n stagedNames) Apply(ctx context.Context, txs []holdfast.Tx) ([]holdfast.Result, error) {
	for _, tx := range txs {
		for _, op := range tx.Ops {
			n.before(op)
		}
	}
	return n.NameService.Apply(ctx, txs)
}

// TestSlowCreateBucketIsNotUndone has a bucket linked at the very moment when another gateway, which saw it unlinked for so long
// that it looks abandoned, is about to seal its root. A bucket that was acknowledged must stay.
func TestSlowCreateBucketIsNotUndone(t *testing.T) {
	for n := range 8 { // the root is on the server of the volume's root or on another, by chance
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			c := newCluster(4, 1)
			sealing, done := make(chan struct{}, 1), make(chan struct{})
			janitor := staged{c.census, func(op holdfast.Op) {
				if _, ok := op.(holdfast.SealDir); ok {
					select {
					case sealing <- struct{}{}:
					default:
					}
					<-done
				}
			}}
			var first sync.Once
			creator := staged{c.census, func(op holdfast.Op) {
				link, ok := op.(holdfast.LinkDir)
				if !ok || c.slots.Owner(link.Parent) == c.slots.Owner(link.Child) {
					return // in one transaction there is no such moment
				}
				first.Do(func() {
					select {
					case <-sealing:
					case <-time.After(5 * time.Second):
						t.Error("nobody thought the bucket abandoned")
					}
				})
			}}
			other := volumetest.Start(t, janitor, func(o *volume.Options) { o.IntentEvery, o.IntentAge = time.Millisecond, time.Nanosecond })
			v := volumetest.Start(t, creator, quiet)
			_, err := v.CreateBucket(t.Context(), holdfast.BucketInfo{Name: "bucket"})
			close(done)
			if err != nil {
				t.Fatal(err)
			}
			c.census.WantSettled(t)
			if _, err := other.Bucket(t.Context(), "bucket"); err != nil {
				t.Fatalf("the bucket that was made: %v", err)
			}
		})
	}
}

// TestCreateBucketOutlivesItsOwnRoot has the bucket linked after another gateway took its root for abandoned and sealed it. The
// creator makes another root.
func TestCreateBucketOutlivesItsOwnRoot(t *testing.T) {
	c := newCluster(4, 1)
	volumetest.Start(t, c.census, func(o *volume.Options) { o.IntentEvery, o.IntentAge = time.Millisecond, time.Nanosecond })
	var waited int
	v := volumetest.Start(t, staged{c.census, func(op holdfast.Op) {
		link, ok := op.(holdfast.LinkDir)
		if ok && c.slots.Owner(link.Parent) != c.slots.Owner(link.Child) {
			if waited++; waited%2 == 1 { // the second try may win
				awaitNoIntents(t, c)
			}
		}
	}}, quiet)
	for n := range 8 { // the root is on the server of the volume's root or on another, by chance
		name := fmt.Sprint("bucket", n)
		if _, err := v.CreateBucket(t.Context(), holdfast.BucketInfo{Name: name}); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Bucket(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	c.census.WantSettled(t)
}

// awaitNoIntents waits until nothing is unfinished. It does not end the test: it runs inside a request.
func awaitNoIntents(t *testing.T, c *cluster) {
	for deadline := time.Now().Add(5 * time.Second); ; <-time.After(time.Millisecond) {
		left := 0
		for _, n := range c.names {
			in, err := n.Intents(context.Background(), holdfast.IntentID{}, 0, 10)
			if err != nil {
				t.Error(err)
			}
			left += len(in)
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Error("waited in vain for intents to be finished")
			return
		}
	}
}
