package keyring

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"holdfast"
)

func line(id string, fill byte) string {
	return Variable + "=" + id + ":" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, KeySize))
}

func ring(t testing.TB, lines ...string) *Ring {
	t.Helper()
	r, err := Parse([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The vectors are those of the specification of XAES-256-GCM.
func TestDerivedCipherIsXAES(t *testing.T) {
	for _, c := range []struct {
		fill      byte
		aad, want string
	}{
		{1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	} {
		key := [KeySize]byte(bytes.Repeat([]byte{c.fill}, KeySize))
		nonce := []byte("ABCDEFGHIJKLMNOPQRSTUVWX")
		aead, err := derive(&key, nonce)
		if err != nil {
			t.Fatal(err)
		}
		got := aead.Seal(nil, nonce[deriveSize:], []byte("XAES-256-GCM"), []byte(c.aad))
		if hex.EncodeToString(got) != c.want {
			t.Errorf("key of %d: got %x, want %s", c.fill, got, c.want)
		}
	}
}

func TestSealedSecretsOpen(t *testing.T) {
	r := ring(t, "# a comment", "", line("old", 1), line("new", 2))
	for _, secret := range [][]byte{nil, []byte("s"), bytes.Repeat([]byte("x"), MaxSecret)} {
		sealed, err := r.Seal(secret, []byte("context"))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(sealed) - len(secret); got > Overhead {
			t.Errorf("%d bytes are added, Overhead is %d", got, Overhead)
		}
		if KeyID(sealed) != "new" || r.Current() != "new" {
			t.Errorf("sealed under %q, current is %q, want new", KeyID(sealed), r.Current())
		}
		got, err := r.Open(sealed, []byte("context"))
		if err != nil || !bytes.Equal(got, secret) {
			t.Errorf("opened %d bytes, %v; want %d", len(got), err, len(secret))
		}
		again, _ := r.Seal(secret, []byte("context"))
		if bytes.Equal(again, sealed) {
			t.Error("two seals are the same")
		}
	}
	if _, err := r.Seal(make([]byte, MaxSecret+1), nil); !holdfast.Is(err, holdfast.TooLarge) {
		t.Errorf("a long secret: %v", err)
	}
}

func TestAnyChangeIsFound(t *testing.T) {
	r := ring(t, line("k", 7))
	sealed, err := r.Seal([]byte("secret"), []byte("context"))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(sealed) * 8 {
		bad := bytes.Clone(sealed)
		bad[bit/8] ^= 1 << (bit % 8)
		if got, err := r.Open(bad, []byte("context")); err == nil {
			t.Fatalf("bit %d flipped: opened %q", bit, got)
		}
	}
	for n := range len(sealed) {
		if _, err := r.Open(sealed[:n], []byte("context")); !holdfast.Is(err, holdfast.Corrupt) {
			t.Fatalf("cut to %d bytes: %v, want corrupt", n, err)
		}
	}
	if _, err := r.Open(sealed, []byte("contexts")); !holdfast.Is(err, holdfast.Corrupt) {
		t.Errorf("another context: %v, want corrupt", err)
	}
}

func TestRotation(t *testing.T) {
	before := ring(t, line("a", 1))
	sealed, err := before.Seal([]byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	after := ring(t, line("a", 1), line("b", 2))
	if got, err := after.Open(sealed, nil); err != nil || string(got) != "secret" {
		t.Errorf("after rotation: %q, %v", got, err)
	}
	without := ring(t, line("b", 2))
	if _, err := without.Open(sealed, nil); !holdfast.Is(err, holdfast.Unavailable) {
		t.Errorf("without its key: %v, want unavailable", err)
	}
	wrong := ring(t, line("a", 9))
	if _, err := wrong.Open(sealed, nil); !holdfast.Is(err, holdfast.Corrupt) {
		t.Errorf("another key under the same id: %v, want corrupt", err)
	}
}

func TestParse(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{200}, KeySize))
	for _, c := range []struct{ file, want string }{
		{"", "there is no line"},
		{"# nothing\n", "there is no line"},
		{"HOLDFAST_CLUSTER_KEYS=a:" + key, "line 1"},
		{"\nHOLDFAST_CLUSTER_KEY=" + key, "line 2"},
		{"HOLDFAST_CLUSTER_KEY=:" + key, "a key is an id"},
		{"HOLDFAST_CLUSTER_KEY=a b:" + key, "a key is an id"},
		{"HOLDFAST_CLUSTER_KEY=" + strings.Repeat("a", 17) + ":" + key, "a key is an id"},
		{"HOLDFAST_CLUSTER_KEY=a:" + key[:40], "key a: is not the base64 of 32 bytes"},
		{"HOLDFAST_CLUSTER_KEY=a:" + key + "AAAA", "key a: is not the base64 of 32 bytes"},
		{line("a", 1) + "\n" + line("a", 2), "two different keys"},
		{strings.Repeat("#", maxFile+1), "larger than"},
	} {
		_, err := Parse([]byte(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) || !holdfast.Is(err, holdfast.Invalid) {
			t.Errorf("%.60q: %v, want %q", c.file, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), key[:20]) {
			t.Errorf("%.60q: the error shows the key: %v", c.file, err)
		}
	}
	many := make([]string, MaxKeys+1)
	for i := range many {
		many[i] = line(fmt.Sprint("k", i), byte(i))
	}
	if _, err := Parse([]byte(strings.Join(many, "\n"))); err == nil {
		t.Error("too many keys are taken")
	}
}

func TestWith(t *testing.T) {
	r := ring(t, line("a", 1), line("b", 2))
	value := func(id string, fill byte) string { return strings.TrimPrefix(line(id, fill), Variable+"=") }
	more, err := r.With(value("c", 3) + "," + value("a", 1))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := more.String(), "keyring b c a"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := r.Current(); got != "b" {
		t.Errorf("the first ring changed: %s is current", got)
	}
	if _, err := r.With(value("a", 3)); err == nil {
		t.Error("another key with the same id is taken")
	}
	if _, err := r.With(" "); err == nil {
		t.Error("no key is taken for one")
	}
	alone, err := (*Ring)(nil).With(value("z", 3))
	if err != nil || alone.Current() != "z" {
		t.Errorf("alone: %v, %v", alone, err)
	}
}

func TestGeneratedLinesParse(t *testing.T) {
	a, b := Generate(), Generate()
	if a == b {
		t.Fatal("two keys are the same")
	}
	if got := len(ring(t, a, b).IDs()); got != 2 {
		t.Errorf("%d keys, want 2", got)
	}
}

func TestNothingShowsKeys(t *testing.T) {
	r := ring(t, line("k", 'Q'))
	key, _, err := r.NewDataKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %+v %#v %s %x %d|%v %x %#v", r, r, r, r, r, r, key, key, key)
	if want := strings.Repeat("keyring k ", 6); shown != strings.TrimSuffix(want, " ")+"|data key data key data key" {
		t.Errorf("shown: %s", shown)
	}
}

func TestDataKeys(t *testing.T) {
	r := ring(t, line("k", 7))
	key, sealed, err := r.NewDataKey([]byte("object"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.OpenDataKey(sealed, []byte("object"))
	if err != nil || got != key {
		t.Errorf("another key came back: %v", err)
	}
	short, _ := r.Seal([]byte("short"), []byte("object"))
	if _, err := r.OpenDataKey(short, []byte("object")); !holdfast.Is(err, holdfast.Corrupt) {
		t.Errorf("a secret that is no key: %v, want corrupt", err)
	}
}

// golden is a secret that an earlier build sealed under line("k", 7), without a context.
const golden = "01016bc2f8e040fee1d531b8adb3756d6b0d2fff9be4e5f6e016c9b971e5afc0d47265b5808697a96214e4e8401dd7064c"

func TestSealedSecretsStayReadable(t *testing.T) {
	sealed, err := hex.DecodeString(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ring(t, line("k", 7)).Open(sealed, nil); err != nil || string(got) != "secret" {
		t.Errorf("got %q, %v", got, err)
	}
}

func FuzzOpen(f *testing.F) {
	r := ring(f, line("k", 7))
	sealed, _ := hex.DecodeString(golden)
	f.Add(sealed)
	f.Add([]byte{1, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := r.Open(data, nil); err == nil && !bytes.Equal(data, sealed) {
			t.Errorf("%x opened to %q", data, got)
		}
		_ = KeyID(data)
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(line("a", 1) + "\n#\n" + line("b", 2)))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := Parse(file)
		if err != nil {
			return
		}
		sealed, err := r.Seal([]byte("secret"), file)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.Open(sealed, file); err != nil || string(got) != "secret" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func BenchmarkDataKey(b *testing.B) {
	r := ring(b, line("k", 7))
	b.ReportAllocs()
	for b.Loop() {
		_, sealed, err := r.NewDataKey([]byte("object"))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.OpenDataKey(sealed, []byte("object")); err != nil {
			b.Fatal(err)
		}
	}
}
