package fsck

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/volume/volumetest"
)

func TestCleanStore(t *testing.T) {
	s := newStore(t, old)
	keys := s.fill(t)
	s.delete(t, keys[0])
	got, found := s.check(t, Options{Deep: true})
	if len(found) > 0 {
		t.Errorf("found %+v in a store that is whole", found)
	}
	// The deleted object waits for the garbage collector.
	want := Report{
		Complete: true, Buckets: 1, Directories: 7, Versions: 8, Uploads: 1, Links: 7 + 3 + 3,
		Objects: 14, Bytes: got.Bytes, Waiting: 1,
	}
	if got != want {
		t.Errorf("report\n%+v, want\n%+v", got, want)
	}
}

// TestDamage injects each kind of damage and wants it found with the right name, and nothing else.
func TestDamage(t *testing.T) {
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, s *store)
		deep   bool
		kind   string
		at     string
		detail string
	}{
		{"MissingObject", func(t *testing.T, s *store) { s.free(t, s.link(t, "d/e/c")) }, false,
			MissingBytes, "bucket/d/e/c", "not there"},
		{"MissingServer", func(t *testing.T, s *store) {
			s.free(t, s.link(t, "f/y/z"))
			s.entry = func(name string, e *holdfast.Entry) {
				if name == "z" {
					e.Content.Link.OS = holdfast.NewServiceID(holdfast.TypeObjectStore, 99)
				}
			}
		}, false, MissingBytes, "bucket/f/y/z", "no such object server"},
		{"WrongSize", func(t *testing.T, s *store) {
			s.entry = func(name string, e *holdfast.Entry) {
				if name == "z" {
					e.Content.Link.Size++
					e.Size++
				}
			}
		}, false, WrongBytes, "bucket/f/y/z", "1006 bytes, the link says 1007"},
		{"WrongChecksum", func(t *testing.T, s *store) {
			s.entry = func(name string, e *holdfast.Entry) {
				if name == "z" {
					e.Content.Link.CRC++
				}
			}
		}, false, WrongBytes, "bucket/f/y/z", "checksum"},
		{"WrongSum", func(t *testing.T, s *store) {
			s.entry = func(name string, e *holdfast.Entry) {
				if name == "parts" {
					e.Size++
				}
			}
		}, false, BrokenName, "bucket/d/parts", "does not add up"},
		{"RottenBytes", func(t *testing.T, s *store) {
			bad := s.link(t, "d/b")
			s.read = func(key objectKey, b []byte) error {
				if key == (objectKey{bad.OS, bad.Object}) {
					b[17] ^= 1
				}
				return nil
			}
		}, true, RottenBytes, "bucket/d/b", "another checksum"},
		{"CorruptBytes", func(t *testing.T, s *store) {
			bad := s.link(t, "d/b")
			s.read = func(key objectKey, b []byte) error {
				if key == (objectKey{bad.OS, bad.Object}) {
					return holdfast.E("read", holdfast.Corrupt, errors.New("sub-block 3"))
				}
				return nil
			}
		}, true, RottenBytes, "bucket/d/b", "sub-block 3"},
		{"SharedObject", func(t *testing.T, s *store) {
			link, own := s.link(t, "d/b"), s.link(t, "f/x")
			s.entry = func(name string, e *holdfast.Entry) {
				if name == "x" {
					e.Content.Link, e.Size = link, link.Size
				}
			}
			s.free(t, own)
		}, false, SharedBytes, "bucket/", "links to the same object"},
		{"LostObject", func(t *testing.T, s *store) {
			s.hide = func(name string) bool { return name == "x" }
		}, false, LostBytes, "", "1005 bytes are committed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStore(t, old)
			s.fill(t)
			tc.damage(t, s)
			_, found := s.check(t, Options{Deep: tc.deep})
			if len(found) != 1 {
				t.Fatalf("found %+v, want one finding", found)
			}
			p := found[0]
			if p.Kind != tc.kind || !strings.HasPrefix(p.Name, tc.at) || !strings.Contains(p.Detail, tc.detail) {
				t.Errorf("found %+v, want %s at %q: %s", p, tc.kind, tc.at, tc.detail)
			}
		})
	}
}

// TestPartsOfUploadsAreChecked takes a part of an unfinished upload away.
func TestPartsOfUploadsAreChecked(t *testing.T) {
	s := newStore(t, old)
	s.fill(t)
	var part holdfast.Link
	w := &walk{c: newChecker(s.Direct, Options{}), count: new(Report), see: func(_ context.Context, h *holder, c *holdfast.Content) error {
		if h.number == 2 {
			part = c.Link
		}
		return nil
	}}
	if err := w.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.free(t, part)
	_, found := s.check(t, Options{})
	if len(found) != 1 || found[0].Kind != MissingBytes || !strings.HasPrefix(found[0].Name, "bucket/d/unfinished (part 2 of upload ") {
		t.Errorf("found %+v, want the missing part 2", found)
	}
}

// orphan stores bytes that nobody commits.
func (s *store) orphan(t *testing.T, n int) holdfast.Link {
	t.Helper()
	l, err := s.objects[0].Create(t.Context(), holdfast.CreateRequest{Home: 5, Size: int64(n)}, bytes.NewReader(volumetest.Data(9, n)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (s *store) exists(t *testing.T, l holdfast.Link) bool {
	t.Helper()
	infos, err := s.objects[0].Stat(t.Context(), []holdfast.ObjectID{l.Object})
	if err != nil {
		t.Fatal(err)
	}
	return infos[0].Size >= 0
}

func TestRepairFreesWhatIsGivenUp(t *testing.T) {
	s := newStore(t, old)
	s.fill(t)
	orphan := s.orphan(t, 300)
	s.hide = func(name string) bool { return name == "x" } // committed, and not for the repair
	for _, repair := range []bool{false, true} {
		report, found := s.check(t, Options{Repair: repair})
		if len(found) != 1 || found[0].Kind != LostBytes {
			t.Errorf("repair %v: found %+v, want the lost object", repair, found)
		}
		if report.Waiting != 1 || (report.Freed == 1) != repair || s.exists(t, orphan) == repair {
			t.Errorf("repair %v: %+v, bytes are there: %v", repair, report, s.exists(t, orphan))
		}
	}
	s.hide = nil
	if report, found := s.check(t, Options{Repair: true, Deep: true}); len(found) > 0 || report.Freed > 0 || report.Waiting > 0 {
		t.Errorf("after the repair: %+v, %+v", report, found)
	}
}

// TestYoungObjectsAreLeftAlone proves that an object that waits for its name is neither reported nor given up.
func TestYoungObjectsAreLeftAlone(t *testing.T) {
	s := newStore(t, func() time.Time { return time.Now().Add(-holdfast.GuardPeriod + time.Minute) })
	s.fill(t)
	young := s.orphan(t, 300)
	report, found := s.check(t, Options{Repair: true})
	if len(found) > 0 || report.Waiting != 1 || report.Freed != 0 || !s.exists(t, young) {
		t.Fatalf("report %+v, found %+v", report, found)
	}
	root := s.bucket.Info().Root
	// Its name comes after all, and must not meet a doomed object.
	home := young.Home
	owner, err := s.NameServer(t.Context(), s.SlotMap()[home])
	if err != nil {
		t.Fatal(err)
	}
	dir := holdfast.NewDirID(home, [16]byte{1, 2, 3})
	results, err := owner.Apply(t.Context(), []holdfast.Tx{{Ops: []holdfast.Op{
		holdfast.MakeDir{Dir: dir, Parent: root, Name: "late/", Root: root},
		holdfast.PutEntry{Dir: dir, Name: "n", Entry: holdfast.Entry{Size: young.Size, Content: holdfast.Content{Link: young}}},
	}}})
	if err != nil || results[0].Err != nil {
		t.Errorf("the late commit failed: %v, %v", err, results)
	}
}

func TestTooManySuspectsArePartial(t *testing.T) {
	s := newStore(t, old)
	s.fill(t)
	s.hide = func(name string) bool { return name == "x" || name == "a" || name == "b" || name == "c" }
	report, found := s.check(t, Options{MaxSuspects: 2})
	if len(found) != 2 || report.Unchecked != 4 || report.Complete {
		t.Errorf("%d findings, report %+v; want 2, and 4 unchecked", len(found), report)
	}
}

// TestStopGivesPartialReport ends the context at every call in turn.
func TestStopGivesPartialReport(t *testing.T) {
	s := newStore(t, old)
	s.fill(t)
	s.hide = func(name string) bool { return name == "x" }
	for n := 0; ; n++ {
		ctx, cancel := context.WithCancel(t.Context())
		hook, stopped := nth(n, cancel)
		s.call = hook
		report, err := Check(ctx, watched{s}, Options{Deep: true})
		cancel()
		if !stopped.Load() {
			if err != nil || !report.Complete {
				t.Errorf("not stopped: %v, %+v", err, report)
			}
			if n < 20 {
				t.Errorf("a check took %d calls only", n)
			}
			return
		}
		// In memory, the calls of a check that are already under way succeed with an ended context, or do not.
		if err != nil && report.Complete || err == nil && report.Problems != 1 {
			t.Errorf("stopped at call %d: %v, %+v", n, err, report)
		}
	}
}

// TestServerAwayIsWaitedFor takes each server away at some call and brings it back.
func TestServerAwayIsWaitedFor(t *testing.T) {
	s := newStore(t, old)
	s.fill(t)
	id := s.SlotMap()[0]
	hook, acted := nth(3, func() {
		m, err := s.NameServer(t.Context(), id)
		if err != nil {
			t.Error(err)
			return
		}
		s.SetName(id, nil)
		time.AfterFunc(30*time.Millisecond, func() { s.SetName(id, m) })
	})
	s.call = hook
	report, found := s.check(t, Options{Deep: true})
	if len(found) > 0 || !report.Complete || !acted.Load() {
		t.Errorf("report %+v, found %+v", report, found)
	}
	s.SetName(id, nil)
	if _, err := Check(t.Context(), watched{s}, Options{Patience: time.Millisecond}); !holdfast.Is(err, holdfast.Unavailable) {
		t.Errorf("a server is away for good: %v, want unavailable", err)
	}
}

// TestRowsOfOneNameMayShare lets two rows of a part table link to one object, as the extents of a written file may.
func TestRowsOfOneNameMayShare(t *testing.T) {
	s := newStore(t, old)
	s.fill(t)
	before, _ := s.check(t, Options{})
	s.entry = func(name string, e *holdfast.Entry) {
		if name == "parts" {
			row := e.Content.Parts[0]
			e.Content.Parts = append(e.Content.Parts, row)
			e.Size += row.Size
		}
	}
	if report, found := s.check(t, Options{}); len(found) > 0 || report.Links != before.Links {
		t.Errorf("found %+v, %d links; want none, and %d", found, report.Links, before.Links)
	}
}
