package password_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"holdfast/membership/password"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The test vectors of draft-irtf-cfrg-cpace, appendix B.3, for CPACE-RISTR255-SHA512.
func TestCPaceVectors(t *testing.T) {
	prs := []byte("Password")
	ci := unhex(t, "6f630b425f726573706f6e6465720b415f696e69746961746f72")
	sid := unhex(t, "7e4b4791d6a8ef019b936c79fb7f2c57")

	want := append(unhex(t, "11435061636552697374726574746f3235350850617373776f726464"), make([]byte, 100)...)
	want = append(want, unhex(t, "1a6f630b425f726573706f6e6465720b415f696e69746961746f72107e4b4791d6a8ef019b936c79fb7f2c57")...)
	if got := password.GeneratorString(prs, ci, sid); !bytes.Equal(got, want) {
		t.Errorf("generator string: got\n%x, want\n%x", got, want)
	}
	want = unhex(t, "a6fc82c3b8968fbb2e06fee81ca858586dea50d248f0c7ca6a18b0902a30b36b")
	if got := password.Generator(prs, ci, sid); !bytes.Equal(got, want) {
		t.Errorf("generator: got %x, want %x", got, want)
	}

	share, key := password.Run(prs, ci, sid, "da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08")
	if want := unhex(t, "d40fb265a7abeaee7939d91a585fe59f7053f982c296ec413c624c669308f87a"); !bytes.Equal(share, want) {
		t.Errorf("share: got %x, want %x", share, want)
	}
	their := unhex(t, "08bcf6e9777a9c313a3db6daa510f2d398403319c2341bd506a92e672eb7e307")
	transcript := append(password.LVCat(share, []byte("ADa")), password.LVCat(their, []byte("ADb"))...)
	got, err := key(their, transcript)
	want = unhex(t, "4c5469a16b2364c4b944ebc1a79e51d1674ad47db26e8718154f59faebfaa52d"+
		"8346f30aa58377117eb20d527f2cbc5c76381f7fd372e89df8239f87f2e02ed1")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("key: got %x, %v; want %x", got, err, want)
	}
}

// Shares that are no element, or the neutral one, end the exchange: with the latter anybody would know the key.
func TestCPaceRefusesBadShares(t *testing.T) {
	_, key := password.Run([]byte("x"), nil, nil, "7cd0e075fa7955ba52c02759a6c90dbbfc10e6d40aea8d283e407d88cf538a05")
	for _, bad := range []string{
		"011ca069484e890c9e494d8ed6bb0f66cbd9a8f0ef67168f36c51e0efeb8f347",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"", "00",
	} {
		if k, err := key(unhex(t, bad), nil); err == nil {
			t.Errorf("share %q gave the key %x", bad, k)
		}
	}
}

func TestLVCat(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 128)
	for _, tc := range []struct {
		parts [][]byte
		want  []byte
	}{
		{nil, nil},
		{[][]byte{nil}, []byte{0}},
		{[][]byte{[]byte("1234"), []byte("5"), nil, []byte("678")}, unhex(t, "043132333401350003363738")},
		{[][]byte{long[:127]}, append([]byte{0x7f}, long[:127]...)},
		{[][]byte{long}, append([]byte{0x80, 1}, long...)},
	} {
		if got := password.LVCat(tc.parts...); !bytes.Equal(got, tc.want) {
			t.Errorf("%q: got %x, want %x", tc.parts, got, tc.want)
		}
	}
}
