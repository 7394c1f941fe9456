package kv_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"holdfast"
	"holdfast/storage"
	"holdfast/storage/kv"
)

func mustOpen(t *testing.T, fs storage.FS, dir string, opt kv.Options) *kv.Store {
	t.Helper()
	s, err := kv.Open(fs, dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpenCreatesOnlyWhenAsked(t *testing.T) {
	fs, dir := storage.OS(), t.TempDir()
	if _, err := kv.Open(fs, dir, kv.Options{}); !holdfast.Is(err, holdfast.NotFound) {
		t.Fatalf("open of nothing: got %v, want NotFound", err)
	}
	s := mustOpen(t, fs, dir, kv.Options{Create: true})
	if _, err := kv.Open(fs, dir, kv.Options{}); !holdfast.Is(err, holdfast.Conflict) {
		t.Fatalf("second open: got %v, want Conflict", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Open(fs, dir, kv.Options{Create: true}); !holdfast.Is(err, holdfast.Exists) {
		t.Fatalf("create over a store: got %v, want Exists", err)
	}
}

func TestStoreKeepsCommitsAcrossLogRotation(t *testing.T) {
	fs, dir := storage.OS(), t.TempDir()
	s := mustOpen(t, fs, dir, kv.Options{Create: true, MemTableBytes: 256 << 10})
	value := bytes.Repeat([]byte("v"), 1000)
	const n = 3000 // about 3 MB: several logs, later ones reuse earlier ones
	for i := range n {
		opt := pebble.NoSync
		if i%100 == 0 || i == n-1 {
			opt = pebble.Sync
		}
		if err := s.Set(fmt.Appendf(nil, "key%06d", i), value, opt); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, fs, dir, kv.Options{})
	defer s.Close()
	for i := range n {
		got, closer, err := s.Get(fmt.Appendf(nil, "key%06d", i))
		if err != nil || !bytes.Equal(got, value) {
			t.Fatalf("key %d: %d bytes, %v", i, len(got), err)
		}
		_ = closer.Close()
	}
	logs, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	if len(logs) > 4 {
		t.Errorf("%d logs are left: %v", len(logs), logs)
	}
}

func TestLoseMakesCloseReturn(t *testing.T) {
	fs, dir := storage.OS(), t.TempDir()
	s := mustOpen(t, fs, dir, kv.Options{Create: true})
	reason := errors.New("the test says so")
	s.Lose(reason)
	<-s.Lost()
	if got := s.Reason(); got != reason {
		t.Errorf("reason: got %v, want %v", got, reason)
	}
	if err := s.Close(); err != nil && !holdfast.Is(err, holdfast.NotOwner) {
		t.Errorf("close: %v", err)
	}
}
