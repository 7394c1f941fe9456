package volume_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"holdfast"
	"holdfast/volume"
	"holdfast/volume/volumetest"
)

const largeSize = 300 << 10 // over the suite's ReplaySize

// stored counts the objects of all object servers.
func (c *cluster) stored(t *testing.T) (n int64) {
	t.Helper()
	for _, o := range c.objects {
		st, err := o.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += st.Objects
	}
	return n
}

// brokenObjects is an object server whose Create reads some of the body and fails.
type brokenObjects struct {
	holdfast.ObjectService
	read int64
	kind holdfast.Kind
}

func (o brokenObjects) Create(_ context.Context, _ holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
	if _, err := io.CopyN(io.Discard, body, o.read); err != nil {
		return holdfast.Link{}, err
	}
	return holdfast.Link{}, holdfast.E("broken", o.kind, nil)
}

// TestBodiesMoveToAnotherServer has one of two object servers fail: any small body and a large one of which nothing was read
// go to the other one; a large one that was begun cannot.
func TestBodiesMoveToAnotherServer(t *testing.T) {
	for _, tc := range []struct {
		name string
		size int
		read int64
		kind holdfast.Kind
		want holdfast.Kind
	}{
		{"small, unavailable", 100, 50, holdfast.Unavailable, holdfast.Other},
		{"small, full", 100, 0, holdfast.NoSpace, holdfast.Other},
		{"large, not begun", largeSize, 0, holdfast.Overload, holdfast.Other},
		{"large, full", largeSize, 0, holdfast.NoSpace, holdfast.Other},
		{"large, begun", largeSize, 1000, holdfast.Unavailable, holdfast.Unavailable},
		{"large, full halfway", largeSize, 1000, holdfast.NoSpace, holdfast.NoSpace},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, _, v := openFaulty(t, 1)
			b := volumetest.MakeBucket(t, v, "bucket")
			bad := holdfast.NewServiceID(holdfast.TypeObjectStore, 1)
			c.SetObject(bad, brokenObjects{c.objects[bad], tc.read, tc.kind})
			failed := 0
			for i := range 20 {
				key, data := string(rune('a'+i)), volumetest.Data(uint64(i), tc.size)
				err := putErr(t.Context(), b, key, data)
				switch {
				case err == nil:
					volumetest.WantGet(t, b, key, volume.Version{}, data)
				case tc.want != holdfast.Other && holdfast.Is(err, tc.want):
					failed++
				default:
					t.Fatalf("put: %v", err)
				}
			}
			if tc.want != holdfast.Other && failed == 0 {
				t.Error("no put met the broken server")
			}
		})
	}
	c, _, v := openFaulty(t, 1)
	b := volumetest.MakeBucket(t, v, "bucket")
	for id, o := range c.objects {
		c.SetObject(id, brokenObjects{o, 0, holdfast.NoSpace})
	}
	volumetest.WantKind(t, "put when all are full", putErr(t.Context(), b, "a", []byte("x")), holdfast.NoSpace)
}

// TestDoomedBodies gives bytes up between their storing and their commit: small ones are stored again.
func TestDoomedBodies(t *testing.T) {
	for _, tc := range []struct {
		size int
		want holdfast.Kind
	}{{100, holdfast.Other}, {largeSize, holdfast.Unavailable}} {
		c, faults, v := openFaulty(t, 1)
		b := volumetest.MakeBucket(t, v, "bucket")
		doomed := false
		faults.Decide(func(call string) volumetest.Fault {
			if call == "apply" && !doomed {
				doomed = true
				for id, o := range c.objects {
					infos, err := o.Objects(t.Context(), holdfast.ObjectID{}, 10)
					if err != nil {
						t.Error(err)
					}
					for _, in := range infos {
						_, _ = c.names[c.slots[in.Home]].Settle(t.Context(), id, []holdfast.GuardedObject{{Object: in.Object, Home: in.Home}})
					}
				}
			}
			return volumetest.NoFault
		})
		data := volumetest.Data(1, tc.size)
		err := putErr(t.Context(), b, "a/b", data)
		if holdfast.KindOf(err) != tc.want {
			t.Fatalf("put of %d doomed bytes: %v", tc.size, err)
		}
		if err == nil {
			volumetest.WantGet(t, b, "a/b", volume.Version{}, data)
		}
		c.census.WantLinks(t, b)
	}
}

// TestBytesFollowTheirDirectory has the directory appear on another name server while the body is under way, so that the fate of
// the bytes must be kept elsewhere.
func TestBytesFollowTheirDirectory(t *testing.T) {
	for _, size := range []int{100, largeSize} {
		c, _, v := openFaulty(t, 2)
		b := volumetest.MakeBucket(t, v, "bucket")
		data := volumetest.Data(1, size)
		var where holdfast.Slot
		for i := range 8 {
			key := string(rune('a'+i)) + "/key"
			_, err := b.Put(t.Context(), key, volume.PutRequest{
				Body: bytes.NewReader(data), Size: int64(size),
				Finish: func(*holdfast.Entry) error {
					where = holdfast.Slot(i % 2) // on either server
					dir := holdfast.NewDirID(where, [16]byte{4: byte(i), 5: 1})
					c.mustApply(t, dir, holdfast.MakeDir{Dir: dir, Parent: b.Info().Root, Name: key[:2], Root: b.Info().Root})
					c.mustApply(t, b.Info().Root, holdfast.LinkDir{Parent: b.Info().Root, Name: key[:2], Child: dir, Exclusive: true})
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			volumetest.WantGet(t, b, key, volume.Version{}, data)
			e, err := b.Head(t.Context(), key, volume.Version{})
			if err != nil {
				t.Fatal(err)
			}
			if c.slots[e.Content.Link.Home] != c.slots[where] {
				t.Errorf("%q is on %v and the fate of its bytes on %v", key, c.slots[where], c.slots[e.Content.Link.Home])
			}
		}
		c.census.WantLinks(t, b)
	}
}

func (c *cluster) mustApply(t *testing.T, dir holdfast.DirID, op holdfast.Op) {
	t.Helper()
	s, err := c.census.NameServer(t.Context(), c.slots.Owner(dir))
	if err != nil {
		t.Fatal(err)
	}
	results, err := s.Apply(t.Context(), []holdfast.Tx{{Ops: []holdfast.Op{op}}})
	if err = errors.Join(err, results[0].Err); err != nil {
		t.Fatal(err)
	}
}

// TestGoneClient ends a request in the middle of its body.
func TestGoneClient(t *testing.T) {
	c, _, v := openFaulty(t, 1)
	b := volumetest.MakeBucket(t, v, "bucket")
	for _, size := range []int64{1000, largeSize, -1} {
		ctx, cancel := context.WithCancel(t.Context())
		body := io.MultiReader(bytes.NewReader(make([]byte, 500)), readFunc(func([]byte) (int, error) {
			cancel()
			return 0, ctx.Err()
		}))
		_, err := b.Put(ctx, "a/b", volume.PutRequest{Body: body, Size: size})
		volumetest.WantKind(t, "put", err, holdfast.Aborted)
	}
	if n := c.stored(t); n != 0 {
		t.Errorf("%d objects are stored", n)
	}
	volumetest.WantList(t, b, volume.ListOptions{Limit: 10}, nil, false)
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// TestLostBytes reads an object whose bytes are not where its name says.
func TestLostBytes(t *testing.T) {
	c, _, v := openFaulty(t, 1)
	b := volumetest.MakeBucket(t, v, "bucket")
	res := volumetest.MustPut(t, b, "a", []byte("lost"))
	link := res.Entry.Content.Link
	if err := c.objects[link.OS].Free(t.Context(), []holdfast.ObjectID{link.Object}); err != nil {
		t.Fatal(err)
	}
	_, err := readOrNil(t.Context(), b, "a")
	volumetest.WantKind(t, "read", err, holdfast.Corrupt)
}

// TestReplacedBeforeTheFirstByte replaces an object after it was opened: the reader gets the new one, whole.
func TestReplacedBeforeTheFirstByte(t *testing.T) {
	c, _, v := openFaulty(t, 1)
	b := volumetest.MakeBucket(t, v, "bucket")
	old := volumetest.MustPut(t, b, "a", []byte("old")).Entry.Content.Link
	var out bytes.Buffer
	rounds := 0
	err := b.Read(t.Context(), "a", volume.Version{}, func(o *volume.Object) error {
		if rounds++; rounds == 1 {
			volumetest.MustPut(t, b, "a", []byte("new one"))
			if err := c.objects[old.OS].Free(t.Context(), []holdfast.ObjectID{old.Object}); err != nil {
				t.Error(err)
			}
		}
		_, err := o.WriteRange(t.Context(), &out, 0, o.Entry().Size)
		return err
	})
	if err != nil || out.String() != "new one" || rounds != 2 {
		t.Errorf("read %q in %d rounds, %v", out.String(), rounds, err)
	}
}
