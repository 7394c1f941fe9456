package s3api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func canonicalEncryption(body []byte) ([]byte, error) {
	c, err := DecodeEncryption(body)
	if err != nil {
		return nil, err
	}
	return c.Append(nil), nil
}

func TestEncryptionConfig(t *testing.T) {
	const apply = "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>"
	const blocked = "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>"
	const no, yes = "<BucketKeyEnabled>false</BucketKeyEnabled>", "<BucketKeyEnabled>true</BucketKeyEnabled>"
	rule := func(inside string) string {
		return "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>" + inside +
			"</Rule></ServerSideEncryptionConfiguration>"
	}
	for _, c := range []struct {
		in, out string
		want    EncryptionConfig
	}{
		{apply, apply + no, EncryptionConfig{Managed: true}},
		{yes + apply, apply + yes, EncryptionConfig{Managed: true, BucketKey: true}},
		{apply + blocked, apply + blocked + no, EncryptionConfig{Managed: true, Blocked: "SSE-C"}},
		{blocked, blocked + no, EncryptionConfig{Blocked: "SSE-C"}},
	} {
		got, err := DecodeEncryption([]byte(rule(c.in)))
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v", c.in, got, err, c.want)
		}
		if doc := string(got.Append(nil)); !strings.HasSuffix(doc, rule(c.out)) {
			t.Errorf("%s: appended as %s", c.in, doc)
		}
	}
	if none := (EncryptionConfig{Blocked: "NONE"}); none.BlocksCustomerKeys() {
		t.Error("NONE blocks")
	}
}

// TestKeysAreNotShown prints what has a key in all the ways that logs do.
func TestKeysAreNotShown(t *testing.T) {
	raw := strings.Repeat("k", 32)
	key := base64.StdEncoding.EncodeToString([]byte(raw))
	h := http.Header{}
	h.Set(sseCustomer+"Algorithm", "AES256")
	h.Set(sseCustomer+"Key", key)
	h.Set(sseCustomer+"Key-Md5", "wrong")
	_, err := ParseCustomerKey(h)
	if err == nil || strings.Contains(fmt.Sprintf("%+v", err), key) {
		t.Errorf("got %v", err)
	}
	k := &CustomerKey{Key: [32]byte([]byte(raw)), MD5: "m"}
	if shown := fmt.Sprintf("%v %s %+v %#v", k, k, k, k); strings.Contains(shown, "kkk") || strings.Contains(shown, "107") {
		t.Errorf("shown: %s", shown)
	}
}
