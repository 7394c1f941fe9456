package path_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"holdfast"
	"holdfast/volume/path"
)

func TestSplit(t *testing.T) {
	for _, tc := range []struct {
		key  string
		dirs []string
		name string
	}{
		{"a", nil, "a"},
		{"a/b/c", []string{"a/", "b/"}, "c"},
		{"a//b", []string{"a/", "/"}, "b"},
		{"a/", []string{"a/"}, ""},
		{"/", []string{"/"}, ""},
		{"//", []string{"/", "/"}, ""},
		{"../.", []string{"../"}, "."},
	} {
		dirs, name := path.Split(tc.key)
		if !slices.Equal(dirs, tc.dirs) || name != tc.name {
			t.Errorf("Split(%q) = %q, %q; want %q, %q", tc.key, dirs, name, tc.dirs, tc.name)
		}
		if got, want := path.Dir(tc.key), strings.Join(tc.dirs, ""); got != want {
			t.Errorf("Dir(%q) = %q; want %q", tc.key, got, want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, key := range []string{"", "a", "a/b", "//", "\xff/\x00", strings.Repeat("/", 1024)} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		dirs, name := path.Split(key)
		if got := strings.Join(dirs, "") + name; got != key {
			t.Fatalf("Split(%q) joins to %q", key, got)
		}
		if strings.Contains(name, "/") {
			t.Fatalf("Split(%q): name %q has a slash", key, name)
		}
		for _, d := range dirs {
			if strings.IndexByte(d, '/') != len(d)-1 {
				t.Fatalf("Split(%q): directory %q", key, d)
			}
		}
	})
}

func TestAfter(t *testing.T) {
	for _, tc := range []struct {
		prefix, want string
		ok           bool
	}{
		{"a/", "a0", true}, {"a\xff", "b", true}, {"\xff\xff", "", false}, {"", "", false}, {"é", "ê", true},
	} {
		if got, ok := path.After(tc.prefix); got != tc.want || ok != tc.ok {
			t.Errorf("After(%q) = %q, %v; want %q, %v", tc.prefix, got, ok, tc.want, tc.ok)
		}
	}
}

func TestCacheIsBoundedAndKeepsWhatIsUsed(t *testing.T) {
	c := path.NewCache(64 << 10)
	hot := path.Edge{Epoch: 1, Name: "hot/"}
	c.Put(hot, holdfast.DirID{15: 7})
	for i := range 10_000 {
		c.Put(path.Edge{Epoch: 1, Name: fmt.Sprint(i, "/")}, holdfast.DirID{14: 1})
		if i%50 == 0 {
			if id, ok := c.Get(hot); !ok || id != (holdfast.DirID{15: 7}) {
				t.Fatalf("after %d puts the hot edge is %v, %v", i, id, ok)
			}
		}
	}
	if n := c.Len(); n > 64<<10/128 {
		t.Errorf("%d edges; want at most %d", n, 64<<10/128)
	}
	if _, ok := c.Get(path.Edge{Epoch: 2, Name: "hot/"}); ok {
		t.Error("an edge was found in another epoch")
	}
	c.Drop(hot)
	if _, ok := c.Get(hot); ok {
		t.Error("a dropped edge was found")
	}
}
