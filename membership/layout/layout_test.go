package layout_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership/layout"
	"holdfast/storage"
	"holdfast/storage/storagetest"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func bytes16(first byte) (b [16]byte) {
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

// sample is a file with its decoder, which returns what encodes to the same bytes.
type sample struct {
	name   string
	value  any
	bytes  []byte
	decode func([]byte) (any, []byte, error)
}

func samples() []sample {
	inc := layout.Incarnation{Number: 7, ID: bytes16(0x10), Boot: "0c3a", Lock: "TOKEN", Address: "10.0.0.1:9100"}
	claim := layout.Claim{Epoch: 3, Host: 0xa1, Number: 7, Incarnation: bytes16(0x10), Nonce: bytes16(0x40)}
	open := layout.Outcome{Open: true, Epoch: 9, Undrained: []holdfast.Epoch{4, 8}, Nonce: bytes16(0x40)}
	void := layout.Outcome{Epoch: 8, Nonce: bytes16(0x41)}
	owner := layout.Owner{Epoch: 3, Host: 0xa1, Incarnation: bytes16(0x10), Address: "10.0.0.1:9100"}
	beat := layout.Heartbeat{Incarnation: bytes16(0x10), Number: 7, Counter: 42, T: 15 * time.Second, Boot: bytes16(0x70)}
	bye := beat
	bye.Released = true
	return []sample{
		{"incarnation", inc, inc.Encode(), encoded(layout.ParseIncarnation)},
		{"claim", claim, claim.Encode(), encoded(layout.ParseClaim)},
		{"outcome-open", open, open.Encode(), encoded(layout.ParseOutcome)},
		{"outcome-void", void, void.Encode(), encoded(layout.ParseOutcome)},
		{"owner", owner, owner.Encode(), encoded(layout.ParseOwner)},
		{"heartbeat", beat, beat.Encode(), encoded(layout.ParseHeartbeat)},
		{"heartbeat-released", bye, bye.Encode(), encoded(layout.ParseHeartbeat)},
		{"host", holdfast.HostID(0xa1), layout.EncodeHost(0xa1), func(b []byte) (any, []byte, error) {
			id, err := layout.ParseHost(b)
			return id, layout.EncodeHost(id), err
		}},
		{"cluster", "000102030405060708090a0b0c0d0e0f", layout.EncodeCluster("000102030405060708090a0b0c0d0e0f"), func(b []byte) (any, []byte, error) {
			name, err := layout.ParseCluster(b)
			return name, layout.EncodeCluster(name), err
		}},
		{"drained", holdfast.Epoch(3), layout.EncodeDrained(3, layout.Gone), func(b []byte) (any, []byte, error) {
			e, how, err := layout.ParseDrained(b)
			return e, layout.EncodeDrained(e, how), err
		}},
	}
}

func encoded[T interface{ Encode() []byte }](parse func([]byte) (T, error)) func([]byte) (any, []byte, error) {
	return func(b []byte) (any, []byte, error) {
		v, err := parse(b)
		return v, v.Encode(), err
	}
}

// The files of format 1 stay readable for ever.
func TestGoldenFiles(t *testing.T) {
	for _, s := range samples() {
		path := filepath.Join("testdata", "v1", s.name)
		if *rewrite {
			if err := os.WriteFile(path, s.bytes, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(golden, s.bytes) {
			t.Errorf("%s: encodes as\n%q, the golden file has\n%q", s.name, s.bytes, golden)
		}
		got, _, err := s.decode(golden)
		if err != nil || !reflect.DeepEqual(got, s.value) {
			t.Errorf("%s: got %+v, %v; want %+v", s.name, got, err, s.value)
		}
	}
}

// Whatever a decoder accepts is exactly what encoding writes.
func FuzzDecoders(f *testing.F) {
	all := samples()
	for i, s := range all {
		f.Add(uint8(i), s.bytes)
		f.Add(uint8(i), s.bytes[:len(s.bytes)-1])
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		s := all[int(which)%len(all)]
		_, again, err := s.decode(b)
		if err == nil && !bytes.Equal(again, b) {
			t.Errorf("%s: %q decodes, but encodes as %q", s.name, b, again)
		}
		_, _ = layout.ParseName(b)
	})
}

func TestDecodersRefuse(t *testing.T) {
	for _, s := range samples() {
		for _, bad := range [][]byte{nil, []byte("\n"), append(bytes.Clone(s.bytes), 'x'), s.bytes[:len(s.bytes)-1]} {
			if _, _, err := s.decode(bad); !holdfast.Is(err, holdfast.Corrupt) {
				t.Errorf("%s: %q: got %v, want Corrupt", s.name, bad, err)
			}
		}
	}
	if _, err := layout.ParseOutcome([]byte("outcome 2\nwhatever\n")); !holdfast.Is(err, holdfast.Unsupported) {
		t.Errorf("newer format: got %v, want Unsupported", err)
	}
}

func TestNameFileIsForPeople(t *testing.T) {
	for text, want := range map[string]string{
		"name 1\na:1\nb:2\n":           "[a:1 b:2]",
		"\n# by hand\n a:1 \r\n\n":     "[a:1]",
		"":                             "[]",
		string(layout.EncodeName(nil)): "[]",
		string(layout.EncodeName([]string{"a:1"})): "[a:1]",
	} {
		got, err := layout.ParseName([]byte(text))
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: got %v, %v; want %s", text, got, err, want)
		}
	}
	if _, err := layout.ParseName([]byte("name 2\na:1\n")); !holdfast.Is(err, holdfast.Unsupported) {
		t.Errorf("newer format: %v", err)
	}
}

func TestListingsIgnoreForeignNames(t *testing.T) {
	disk, root := storagetest.NewCrash(), layout.Root("/r")
	if ids, err := layout.ListServices(disk, root); err != nil || ids != nil {
		t.Errorf("no directory: got %v, %v", ids, err)
	}
	svc := root.Service(0x0800000000000001)
	for _, dir := range []string{string(svc), root.Services() + "/1000000000000001", root.Services() + "/lost+found",
		root.Services() + "/1", root.Services() + "/1000000000000ABC", svc.Store(2), svc.Store(10), svc.Claims(),
		string(svc) + "/e01", string(svc) + "/extra", svc.Pools(), root.Config()} {
		if err := disk.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{svc.Claims() + "/2", svc.Claims() + "/10", svc.Claims() + "/2.outcome", svc.Claims() + "/02",
		svc.Claims() + "/0", svc.Claims() + "/.3.x.tmp", svc.Pools() + "/4096.2", svc.Pools() + "/4096.10", svc.Pools() + "/x",
		root.Config() + "/1.json", root.Config() + "/2", root.Config() + "/3.json"} {
		if err := storage.WriteFile(disk, file, nil); err != nil {
			t.Fatal(err)
		}
	}
	services, _ := layout.ListServices(disk, root)
	stores, _ := layout.ListStores(disk, svc)
	claims, _ := layout.ListClaims(disk, svc)
	pools, _ := layout.ListPools(disk, svc)
	versions, _ := layout.ListConfig(disk, root)
	got := fmt.Sprint(services, stores, claims, pools, versions)
	want := "[0800000000000001 1000000000000001] [2 10] [2 10] map[2:[4096.2] 10:[4096.10]] [1 3]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
