package volume_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

// TestLostAnswerStaysUnknown lets a commit take effect without an answer and every call after it fail. The caller must be told
// that the outcome is unknown, not only that the servers are away: that would say that nothing had happened.
func TestLostAnswerStaysUnknown(t *testing.T) {
	data := volumetest.Data(1, 3000)
	for _, step := range []struct {
		name string
		do   func(context.Context, *volume.Volume, *volume.Bucket) error
	}{
		{"put", func(ctx context.Context, _ *volume.Volume, b *volume.Bucket) error {
			return putErr(ctx, b, "old", data)
		}},
		{"delete", func(ctx context.Context, _ *volume.Volume, b *volume.Bucket) error {
			return b.Delete(ctx, []volume.DeleteRequest{{Key: "old"}})[0].Err
		}},
		{"delete two", func(ctx context.Context, _ *volume.Volume, b *volume.Bucket) error {
			return b.Delete(ctx, []volume.DeleteRequest{{Key: "old"}, {Key: "older"}})[0].Err
		}},
		{"create upload", func(ctx context.Context, _ *volume.Volume, b *volume.Bucket) error {
			_, err := b.CreateUpload(ctx, "old", holdfast.Upload{})
			return err
		}},
		{"delete bucket", func(ctx context.Context, v *volume.Volume, _ *volume.Bucket) error {
			return v.DeleteBucket(ctx, "empty")
		}},
	} {
		t.Run(step.name, func(t *testing.T) {
			_, faults, v := openFaulty(t, 1, func(o *volume.Options) { o.RetryFor = 20 * time.Millisecond })
			b := volumetest.MakeBucket(t, v, "bucket")
			volumetest.MakeBucket(t, v, "empty")
			for _, key := range []string{"old", "older"} {
				if err := putErr(t.Context(), b, key, bytes.Repeat([]byte("o"), 100)); err != nil {
					t.Fatal(err)
				}
			}
			answered := true
			faults.Decide(func(call string) volumetest.Fault {
				switch {
				case !answered:
					return volumetest.Lost
				case call == "apply":
					answered = false
					return volumetest.Unanswered
				}
				return volumetest.NoFault
			})
			err := step.do(t.Context(), v, b)
			faults.Decide(nil)
			if !holdfast.Is(err, holdfast.Unknown) {
				t.Errorf("got %v, want Unknown", err)
			}
		})
	}
}
