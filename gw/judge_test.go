package gw

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"text/tabwriter"

	"holdfast"
	"holdfast/gw/acl"
	"holdfast/gw/policy"
	"holdfast/gw/s3api"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files; read the diff before committing it")

// The words of the golden table. A verdict that is silent refuses as a denial does, and says what came closest to giving the right.
var (
	verdictWords = map[verdict]string{silent: "no", granted: "yes", denied: "DENIED"}
	reasonWords  = map[reason]string{
		noReason: "-", systemUser: "system", accountPolicy: "account-policy", damagedPolicy: "damaged", bucketsPolicy: "policy",
		policyIsPublic: "restricted", objectOfAnother: "another's", ownerMends: "mends", bucketOwner: "owner", objectOwner: "object-owner",
		ownersAlone: "owner's-alone", aList: "list", listLacks: "list", listIgnored: "ignored", uploadOfAnother: "upload", objectUnknown: "unknown",
	}
)

// judged are the callers of the table.
func judged() []struct {
	name   string
	caller Identity
} {
	limit := []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket","s3:PutBucketPolicy"],"Resource":"*"}}`)
	return []struct {
		name   string
		caller Identity
	}{
		{"anonymous", Identity{}},
		{"other", Identity{User: otherUser}},
		{"owner", Identity{User: ownerUser}},
		{"owner's account", Identity{User: ownerUser, Service: "free"}},
		{"with a policy", Identity{User: ownerUser, Service: "app", Limit: limit}},
		{"other's with a policy", Identity{User: otherUser, Service: "app", Limit: limit}},
		{"system", Identity{User: otherUser, System: true}},
		{"system owner", Identity{User: ownerUser, System: true}},
		{"system with a policy", Identity{User: otherUser, System: true, Service: "app", Limit: limit}},
		{"damaged policy", Identity{User: ownerUser, Service: "app", Limit: []byte("{")}},
	}
}

// rights are the operations of the table: one for each right and what gives it.
var rights = []s3api.Op{
	s3api.OpListObjectsV2, s3api.OpPutObject, s3api.OpGetBucketAcl, s3api.OpPutBucketAcl, s3api.OpGetBucketVersioning, s3api.OpPutBucketPolicy,
	s3api.OpGetObject, s3api.OpGetObjectAcl, s3api.OpPutObjectAcl, s3api.OpGetObjectTagging,
}

// decided are the rules of a bucket, by name, and whose the object is.
func decided(t *testing.T) []struct {
	name   string
	access access
	object *holdfast.Entry
} {
	parse := func(statements ...string) *policy.Policy {
		p, err := policy.ParseBucket([]byte(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`), "bucket")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	statement := func(effect, who string) string {
		return `{"Effect":"` + effect + `","Principal":` + who + `,"Action":"s3:*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}`
	}
	const everybody, theOther, theApp = `"*"`, `{"AWS":"` + otherUser + `"}`, `{"AWS":"arn:aws:iam::` + ownerUser + `:user/app"}`
	private := acl.Private(ownerUser)
	public := acl.List{{User: ownerUser, Right: acl.FullControl}, {Group: acl.AllUsers, Right: acl.Read}, {Group: acl.AllUsers, Right: acl.Write}}
	signing := acl.List{{User: ownerUser, Right: acl.FullControl}, {Group: acl.AuthenticatedUsers, Right: acl.Read}}
	owners := &holdfast.Entry{Owner: ownerUser}
	others := &holdfast.Entry{Owner: otherUser}
	return []struct {
		name   string
		access access
		object *holdfast.Entry
	}{
		{"private", access{list: private}, owners},
		{"private, object of the other", access{list: private}, others},
		{"private, no such object", access{list: private}, nil},
		{"empty list", access{list: acl.List{}}, &holdfast.Entry{Owner: ownerUser, ACL: acl.List{}.Encode(ownerUser)}},
		{"public lists", access{list: public}, &holdfast.Entry{Owner: ownerUser, ACL: public.Encode(ownerUser)}},
		{"lists for who signs", access{list: signing}, &holdfast.Entry{Owner: ownerUser, ACL: signing.Encode(ownerUser)}},
		{"public lists, ignored", access{list: public, block: s3api.PublicAccessBlock{IgnorePublicACLs: true}},
			&holdfast.Entry{Owner: ownerUser, ACL: public.Encode(ownerUser)}},
		{"lists switched off", access{list: public, ownership: s3api.BucketOwnerEnforced}, &holdfast.Entry{Owner: otherUser, ACL: public.Encode(otherUser)}},
		{"policy allows everybody", access{list: private, policy: parse(statement("Allow", everybody))}, owners},
		{"policy allows everybody, object of the other", access{list: private, policy: parse(statement("Allow", everybody))}, others},
		{"policy allows everybody, restricted", access{list: private, policy: parse(statement("Allow", everybody)), restrict: true}, owners},
		{"policy allows the other", access{list: private, policy: parse(statement("Allow", theOther))}, owners},
		{"policy denies everybody", access{list: public, policy: parse(statement("Deny", everybody))}, owners},
		{"policy denies the other", access{list: public, policy: parse(statement("Deny", theOther))}, owners},
		{"policy denies the account", access{list: private, policy: parse(statement("Deny", theApp))}, owners},
		{"policy denies and allows", access{list: public, policy: parse(statement("Allow", everybody), statement("Deny", theOther))}, owners},
	}
}

// TestDecisions holds what is decided about every caller, right and set of rules against a golden table.
func TestDecisions(t *testing.T) {
	g := new(Gateway)
	var out bytes.Buffer
	for _, d := range decided(t) {
		d.access.owner = ownerUser
		fmt.Fprintf(&out, "# %s\n", d.name)
		w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		for _, who := range judged() {
			fmt.Fprintf(w, "\t%s", who.name)
		}
		fmt.Fprintln(w)
		for _, op := range rights {
			fmt.Fprint(w, op)
			for _, who := range judged() {
				q := &request{g: g, r: &http.Request{}, set: &settings{}, op: op, caller: who.caller, signed: who.caller.User != ""}
				k := &ask{q: q, name: "bucket", access: &d.access, action: op.Action(false), rule: ruleOf(op, false)}
				if op.OnObject() {
					k.key, k.entry = "key", d.object
				}
				r, err := q.judge(k)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(w, "\t%s: %s", verdictWords[r.verdict], reasonWords[r.reason])
			}
			fmt.Fprintln(w)
		}
		_ = w.Flush() // into memory
		fmt.Fprintln(&out)
	}
	got := bytes.ReplaceAll(out.Bytes(), []byte(" \n"), []byte("\n"))
	const name = "testdata/decisions.golden"
	if *rewrite {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
