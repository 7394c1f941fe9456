package s3admin_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"holdfast"
	"holdfast/gw/acl"
	"holdfast/volume"
)

// TestExplain asks a gateway who may do what in a bucket with a policy, lists and objects of two users, and compares the explanations with a
// golden file.
func TestExplain(t *testing.T) {
	st := newStore(t)
	s := &shell{t: t, store: st, names: make(map[string]string), back: make(map[string]string), count: make(map[string]int)}
	narrow := t.TempDir() + "/narrow.json"
	doc := `{"Version": "2012-10-17", "Statement": {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}`
	if err := os.WriteFile(narrow, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"create-user -e owner@abc.com",
		"create-user -e other@abc.com",
		"create-user -e admin@abc.com -S",
		"create-account -e owner@abc.com -n app --policy " + narrow,
		"create-account -e admin@abc.com -n app --policy " + narrow,
	} {
		s.run(line)
	}
	makeExplained(t, st.volume, s.back["USER1"], s.back["USER2"])
	s.log.Reset()
	for _, line := range []string{
		"explain -b photos -a s3:ListBucket",
		"explain -b photos -a s3:GetBucketPolicy",
		"explain -b photos -a s3:GetBucketPolicy -e owner@abc.com",
		"explain -b photos -a s3:PutBucketPolicy -e owner@abc.com",
		"explain -b photos -a s3:PutBucketPolicy -e owner@abc.com -n app",
		"explain -b photos -a s3:GetObject -k open/a",
		"explain -b photos -a s3:GetObject -k open/a --with aws:SourceIp=192.0.2.9",
		"explain -b photos -a s3:GetObject -k open/a -e owner@abc.com -n app --json",
		"explain -b photos -a s3:GetObjectAcl -k open/a",
		"explain -b photos -a s3:GetObjectAcl -k open/a -e other@abc.com",
		"explain -b photos -a s3:GetObject -k tagged",
		"explain -b photos -a s3:GetObject -k theirs -e owner@abc.com",
		"explain -b photos -a s3:GetObject -k theirs -e other@abc.com",
		"explain -b photos -a s3:GetObject -k none -e owner@abc.com",
		"explain -b photos -a s3:DeleteObject -k tagged -e owner@abc.com",
		"explain -b photos -a s3:DeleteObject -k tagged -e admin@abc.com",
		"explain -b photos -a s3:DeleteObject -k tagged -e admin@abc.com -n app",
		"explain -b photos -a s3:BypassGovernanceRetention -k tagged -e other@abc.com",
		"explain -b photos -a s3:AbortMultipartUpload -k new -e other@abc.com",
		"explain -a s3:ListAllMyBuckets -e other@abc.com",
		"explain -a s3:ListAllMyBuckets -e owner@abc.com -n app",
		"explain -a s3:CreateBucket -b new",
		"explain -b nothing -a s3:GetObject -k a",
		"explain -b .holdfast -a s3:GetObject -k a -e admin@abc.com",
		"explain -b photos -a s3:Fly",
		"explain -b photos -a s3:GetObject",
		"explain -b photos -a s3:ListBucket -k open/a",
		"explain -b photos -a s3:ListBucket --with aws:SourceIpp=192.0.2.9",
		"explain -b photos -a s3:ListBucket --with nonsense",
		"explain -b photos -a s3:ListBucket -n app",
		"explain -b photos",
		"explain -b photos -a s3:ListBucket -e nobody@abc.com",
		"disable-user -e other@abc.com",
		"explain -b photos -a s3:ListBucket -e other@abc.com",
	} {
		s.run(line)
	}
	const name = "testdata/explain.golden"
	if *rewrite {
		if err := os.WriteFile(name, s.log.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(s.log.Bytes(), want) {
		t.Errorf("got\n%s\nwant\n%s", s.log.Bytes(), want)
	}
}

// makeExplained makes the bucket that is asked about.
func makeExplained(t *testing.T, v *volume.Volume, owner, other string) {
	t.Helper()
	policy := `{"Version": "2012-10-17", "Statement": [
		{"Sid": "office", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::photos/open/*", "arn:aws:s3:::photos/theirs"],
		 "Condition": {"IpAddressIfExists": {"aws:SourceIp": "192.0.2.0/24"}, "Null": {"aws:SourceIp": "false"}}},
		{"Sid": "red", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/tagged",
		 "Condition": {"StringEquals": {"s3:ExistingObjectTag/team": "red"}}},
		{"Effect": "Deny", "Principal": "*", "Action": ["s3:DeleteObject", "s3:PutBucketPolicy"], "Resource": ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"]}]}`
	list := acl.List{{User: owner, Right: acl.FullControl}, {Group: acl.AllUsers, Right: acl.Read}, {User: other, Right: acl.Write}}
	_, err := v.CreateBucket(t.Context(), holdfast.BucketInfo{
		Name: "photos", Owner: owner, Settings: map[string][]byte{"policy": []byte(policy), "acl": list.Encode(owner)},
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := v.Bucket(t.Context(), "photos")
	if err != nil {
		t.Fatal(err)
	}
	open := acl.List{{User: owner, Right: acl.FullControl}, {Group: acl.AuthenticatedUsers, Right: acl.ReadACP}}
	for key, e := range map[string]holdfast.Entry{
		"open/a": {Owner: owner, ACL: open.Encode(owner)},
		"tagged": {Owner: owner, Tags: []holdfast.Header{{Name: "team", Value: "red"}}},
		"theirs": {Owner: other},
	} {
		if _, err := b.Put(t.Context(), key, volume.PutRequest{Body: strings.NewReader("x"), Size: 1, Entry: e}); err != nil {
			t.Fatal(err)
		}
	}
}
