package volumetest

import (
	"bytes"
	"io"
	"testing"

	"holdfast"
	"holdfast/volume"
)

// testSealed stores objects whose bytes are longer than what they are said to hold, of one piece and of parts.
func testSealed(t *testing.T, open Open) {
	b := start(t, open, 2)
	const more = 48
	stored := Data(1, 300_000+more)
	_, err := b.Put(t.Context(), "a/one", volume.PutRequest{
		Entry: holdfast.Entry{Sealed: []byte("how")}, Body: bytes.NewReader(stored), Size: int64(len(stored)),
		Finish: func(e *holdfast.Entry) error {
			e.Size, e.ETag = e.Size-more, etag(stored)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantStored(t, b, "a/one", 300_000, stored)

	up, err := b.CreateUpload(t.Context(), "a/parts", holdfast.Upload{Entry: holdfast.Entry{Sealed: []byte("how")}})
	if err != nil {
		t.Fatal(err)
	}
	var done []holdfast.CompletedPart
	for i := range 3 {
		data := stored[i*100_016:][:100_016]
		p, err := b.PutPart(t.Context(), "a/parts", up.ID, volume.PartRequest{
			Number: i + 1, ETag: etag(data), Body: bytes.NewReader(data), Size: int64(len(data)),
			Finish: func(p *holdfast.Part) error { p.Size -= 16; return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		done = append(done, holdfast.CompletedPart{Number: p.Number, ETag: p.ETag})
	}
	if _, err := b.CompleteUpload(t.Context(), "a/parts", up.ID, volume.CompleteRequest{Parts: done}); err != nil {
		t.Fatal(err)
	}
	wantStored(t, b, "a/parts", 300_000, stored)
}

// wantStored reads what is stored under a key, whole and in ranges, and sees that it cannot be taken for the plain bytes.
func wantStored(t *testing.T, b *volume.Bucket, key string, size int64, stored []byte) {
	t.Helper()
	o, err := b.Open(t.Context(), key, volume.Version{})
	if err != nil {
		t.Fatal(err)
	}
	if o.Entry().Size != size || string(o.Entry().Sealed) != "how" {
		t.Errorf("%s: size %d, sealed %q", key, o.Entry().Size, o.Entry().Sealed)
	}
	for _, r := range [][2]int{{0, len(stored)}, {0, 1}, {99_000, 2_000}, {200_032, 100_016}, {len(stored) - 1, 1}} {
		var got bytes.Buffer
		want := stored[r[0]:][:r[1]]
		if _, err := o.WriteStored(t.Context(), &got, int64(r[0]), int64(r[1])); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s, stored %v: %d bytes, %v", key, r, got.Len(), err)
		}
		reader := o.StoredReader(t.Context(), int64(r[0]), int64(r[1]))
		data, err := io.ReadAll(reader)
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
		if err != nil || !bytes.Equal(data, want) {
			t.Errorf("%s, reader of %v: %d bytes, %v", key, r, len(data), err)
		}
	}
	if _, err := o.WriteStored(t.Context(), io.Discard, 0, int64(len(stored))+1); !holdfast.Is(err, holdfast.Invalid) {
		t.Errorf("%s, too much: %v, want invalid", key, err)
	}
	if n, err := o.WriteRange(t.Context(), io.Discard, 0, 10); n > 0 || !holdfast.Is(err, holdfast.Invalid) {
		t.Errorf("%s, as if plain: %d bytes, %v, want invalid", key, n, err)
	}
	if _, err := b.Copy(t.Context(), o, "copy", volume.CopyRequest{}); !holdfast.Is(err, holdfast.Invalid) {
		t.Errorf("%s, copied as if plain: %v, want invalid", key, err)
	}
}
