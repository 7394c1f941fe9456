package volume

import (
	"context"

	"holdfast"
)

// MaxDelete is how many keys one Delete may name.
const MaxDelete = 1000

// DeleteRequest names what to delete: a version of a key, or with the zero Version the key as such, which in a bucket with
// versioning adds a delete marker.
type DeleteRequest struct {
	Key     string
	Version Version
	If      holdfast.Conditions
	Owner   string // of a delete marker
	Bypass  bool   // of governance mode
}

// DeleteResult is the outcome for one key.
type DeleteResult struct {
	// Err is nil also for a key or version that was not there. Kinds: Precondition, NotFound (see [holdfast.Conditions]), Locked.
	Err   error
	Found bool // something was removed

	// Version, Null and Marker describe what was removed, or the delete marker that was added.
	Version holdfast.VersionID
	Null    bool
	Marker  bool
}

// Delete removes up to [MaxDelete] keys, each on its own; the results are in the order of the requests. Requests for the same key are
// done in their order. The bytes are freed later, in the background.
func (b *Bucket) Delete(ctx context.Context, requests []DeleteRequest) []DeleteResult {
	results := make([]DeleteResult, len(requests))
	for i := range results {
		results[i].Err = unsupported("volume.delete")
	}
	return results
}
