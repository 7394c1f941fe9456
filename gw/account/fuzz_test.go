package account

import (
	"reflect"
	"testing"
)

// FuzzRecords decodes values of all kinds of records: none panics, and what is decoded survives another round.
func FuzzRecords(f *testing.F) {
	for _, seed := range []string{
		`{"v":1,"id":"0123456789abcdef","mail":"a@b","state":"enabled","created":1,"keys":[{"key":"k","secret":"c2VjcmV0","created":2}]}`,
		`{"v":1,"user":"0123456789abcdef"}`,
		`{"v":1,"name":"app","key":"holdfast-ABCDEFGHIJ","secret":"c2VjcmV0","policy":{"Version":"2012-10-17"},"created":3}`,
		`{"v":1,"user":"0123456789abcdef","name":"app","created":3}`,
		`{"v":2}`, `{}`, `[]`, `null`, ``,
	} {
		f.Add(seed)
	}
	type record interface{ decode(value string) error }
	f.Fuzz(func(t *testing.T, value string) {
		for _, fresh := range []func() record{
			func() record { return new(userRecord) }, func() record { return new(mailRecord) },
			func() record { return new(accountRecord) }, func() record { return new(indexRecord) },
		} {
			first, second := fresh(), fresh()
			if first.decode(value) != nil {
				continue
			}
			text, err := encode(first)
			if err != nil {
				t.Fatal(err)
			}
			if err := second.decode(text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if again, err := encode(second); err != nil || again != text {
				t.Errorf("got %s, %v; want %s", again, err, text)
			}
		}
	})
}

// TestStoredFormat reads what the first version has written.
func TestStoredFormat(t *testing.T) {
	var u userRecord
	const user = `{"v":1,"id":"0123456789abcdef","mail":"A@b","state":"deleting","system":true,"created":1,"keys":[{"key":"0123456789abcdefABCD","secret":"AQID","created":2}]}`
	if err := u.decode(user); err != nil {
		t.Fatal(err)
	}
	want := userRecord{
		V: 1, ID: "0123456789abcdef", Mail: "A@b", State: deleting, System: true, Created: 1,
		Keys: []keyRecord{{Key: "0123456789abcdefABCD", Secret: []byte{1, 2, 3}, Created: 2}},
	}
	if !reflect.DeepEqual(u, want) {
		t.Errorf("got %+v", u)
	}
	if text, err := encode(&u); err != nil || text != user {
		t.Errorf("got %s, %v", text, err)
	}
	for key, want := range map[string]string{
		userKey("0123456789abcdef"):           "u/i/0123456789abcdef",
		mailKey("A/b+c@Example.com"):          "u/m/a%2Fb%2Bc%40example.com",
		accountKey("0123456789abcdef", "a.b"): "u/a/0123456789abcdef/a.b",
		indexKey("holdfast-ABCDEFGHIJ"):       "u/k/holdfast-ABCDEFGHIJ",
	} {
		if key != want {
			t.Errorf("got %s, want %s", key, want)
		}
	}
}
