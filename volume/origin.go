package volume

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"

	"holdfast"
)

// Origin says where a change comes from. It travels with the context of a request, and into the change log with what the request
// changes in a bucket that sends event notifications.
type Origin struct {
	Event     string // what was done: the S3 operation, or the name of background work
	Requester string // user id; "" if anonymous or the store itself
	Address   string // of the client
	Request   string // x-amz-request-id
	Host      string // x-amz-id-2
}

type originKey struct{}

// WithOrigin returns a context whose changes come from o.
func WithOrigin(ctx context.Context, o *Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// notedSetting is the setting of a bucket whose changes are noted; those of other buckets are not, which keeps their log small.
const notedSetting = "notification"

// Note is what the change log keeps with a change beside the change itself: its full key, which the server does not know, and its
// origin.
type Note struct {
	Bucket string
	Key    string
	Origin
}

// noteForm is the first byte of a note.
const noteForm = 1

// maxNoteText bounds each text of an origin; longer ones are cut.
const maxNoteText = 256

// noteOf returns the note of a change of key in the bucket with this record, "" if none is kept.
func noteOf(ctx context.Context, info *holdfast.BucketInfo, key string) string {
	if len(info.Settings[notedSetting]) == 0 {
		return ""
	}
	n := Note{Bucket: info.Name, Key: key}
	if o, ok := ctx.Value(originKey{}).(*Origin); ok {
		n.Origin = *o
	}
	return n.encode()
}

func (n *Note) texts() []*string {
	return []*string{&n.Bucket, &n.Key, &n.Event, &n.Requester, &n.Address, &n.Request, &n.Host}
}

func (n *Note) encode() string {
	b := []byte{noteForm}
	for i, text := range n.texts() {
		t := *text
		if i > 1 {
			t = t[:min(len(t), maxNoteText)]
		}
		b = binary.AppendUvarint(b, uint64(len(t)))
		b = append(b, t...)
	}
	return string(b)
}

// ParseNote reads the note of a change; ok is false if there is none, or one of a newer release.
func ParseNote(note string) (n Note, ok bool, err error) {
	if len(note) == 0 || note[0] != noteForm {
		return Note{}, false, nil
	}
	r := strings.NewReader(note[1:])
	for _, into := range n.texts() {
		size, err := binary.ReadUvarint(r)
		if err != nil || size > uint64(r.Len()) {
			return Note{}, false, &holdfast.Error{Op: "volume.parse note", Kind: holdfast.Corrupt, Err: errors.New("cut short")}
		}
		at := len(note) - r.Len()
		*into = note[at : at+int(size)]
		_, _ = r.Seek(int64(size), 1) // within bounds
	}
	return n, true, nil
}
