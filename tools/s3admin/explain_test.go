package s3admin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The parties of the explained store.
const (
	explainOwner = "00000000000000aa"
	explainOther = "00000000000000bb"
)

// explainedStore answers what explain reads: a bucket with a policy and lists, two users and a service account.
func explainedStore(t *testing.T) string {
	answers := map[string]string{
		"/?ostor-users&id=" + explainOwner: `{"UserId": "` + explainOwner + `"}`,
		"/?ostor-users&id=" + explainOther: `{"UserId": "` + explainOther + `"}`,
		"/?ostor-users&emailAddress=root":  `{"UserId": "0000000000000001", "Flags": ["system"]}`,
		"/?ostor-accounts&id=" + explainOwner + "&accountName=app": `{"Name": "app", "Policy": {"Version": "2012-10-17", "Statement":
			{"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}}`,
		"/?ostor-buckets&bucket=photos": `{"Buckets": [{"name": "photos", "owner_id": "` + explainOwner + `"}]}`,
		"/photos?policy": `{"Version": "2012-10-17", "Statement": [
			{"Sid": "office", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/open/*",
			 "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}},
			{"Sid": "red", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/tagged",
			 "Condition": {"StringEquals": {"s3:ExistingObjectTag/team": "red"}}},
			{"Effect": "Deny", "Principal": "*", "Action": ["s3:DeleteObject", "s3:PutBucketPolicy"], "Resource": ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"]}]}`,
		"/photos?acl":            listOf(explainOwner, "READ", allUsers),
		"/photos/open/a%20b?acl": listOf(explainOwner, "READ_ACP", authenticated),
		"/photos/tagged?acl":     listOf(explainOwner, "", ""),
		"/photos/tagged?tagging": `<Tagging><TagSet><Tag><Key>team</Key><Value>red</Value></Tag></TagSet></Tagging>`,
		"/photos/theirs?acl":     listOf(explainOther, "", ""),
		"/photos/theirs?tagging": `<Tagging><TagSet/></Tagging>`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.EscapedPath()+"?"+r.URL.RawQuery]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			answer = "<Error><Code>NoSuchThing</Code></Error>"
		}
		_, _ = w.Write([]byte(answer)) // the client tells if it was cut off
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func listOf(owner, permission, group string) string {
	list := `<AccessControlPolicy><Owner><ID>` + owner + `</ID></Owner><AccessControlList>` +
		`<Grant><Grantee><ID>` + owner + `</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>`
	if permission != "" {
		list += `<Grant><Grantee><URI>` + group + `</URI></Grantee><Permission>` + permission + `</Permission></Grant>`
	}
	return list + `</AccessControlList></AccessControlPolicy>`
}

func TestExplain(t *testing.T) {
	endpoint := explainedStore(t)
	for _, tt := range []struct {
		args    string
		allowed bool
		because string
	}{
		{"-a s3:ListBucket", true, "AllUsers have READ"},
		{"-a s3:GetBucketPolicy", false, "does not own the bucket"},
		{"-a s3:GetBucketPolicy -i " + explainOwner, true, "as the owner of the bucket"},
		{"-a s3:PutBucketPolicy -i " + explainOwner, true, "as the owner of the bucket"},
		{"-a s3:PutBucketPolicy -i " + explainOwner + " -n app", false, "policy of the service account, of which no statement allows"},
		{"-a s3:GetObject -k open/a%20b", false, "no grant of READ"},
		{"-a s3:GetObject -k open/a%20b --with aws:SourceIp=192.0.2.9", true, "bucket's policy, statement 0 (office)"},
		{"-a s3:GetObject -k open/a%20b -i " + explainOwner + " -n app", true, explainOwner + " has FULL_CONTROL"},
		{"-a s3:GetObjectAcl -k open/a%20b", false, "no grant of READ_ACP"},
		{"-a s3:GetObjectAcl -k open/a%20b -i " + explainOther, true, "AuthenticatedUsers have READ_ACP"},
		{"-a s3:GetObject -k tagged", true, "statement 1 (red)"},
		{"-a s3:GetObject -k theirs -i " + explainOwner, false, "no grant of READ"},
		{"-a s3:DeleteObject -k tagged -i " + explainOwner, false, "bucket's policy, statement 2"},
		{"-a s3:DeleteObject -k tagged -e root", true, "a system user"},
	} {
		args := []string{"explain", "--access-key", "K", "--secret-key", "S", "--endpoint", endpoint, "-b", "photos", "--json"}
		args = append(args, strings.Fields(tt.args)...)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "%20", " ")
		}
		out, complaint, err := tryRun(t, args...)
		var x struct {
			Allowed bool
			Because string
		}
		if err := json.NewDecoder(bytes.NewReader([]byte(out))).Decode(&x); err != nil {
			t.Errorf("%s: %q %q: %v", tt.args, out, complaint, err)
		}
		if err != nil || x.Allowed != tt.allowed || !strings.Contains(x.Because, tt.because) {
			t.Errorf("%s: got %t: %s, %v; want %t: %s", tt.args, x.Allowed, x.Because, err, tt.allowed, tt.because)
		}
	}
	out, _, err := tryRun(t, "explain", "--access-key", "K", "--secret-key", "S", "--endpoint", endpoint, "-b", "photos", "-a", "s3:GetObject", "-k", "open/a b")
	if err != nil || !strings.HasPrefix(out, "Denied: ") ||
		!strings.Contains(out, "bucket policy, statement 0 (office, Allow) does not apply: the condition IpAddress aws:SourceIp") {
		t.Errorf("got %q, %v", out, err)
	}
	if _, complaint, err := tryRun(t, "explain", "--access-key", "K", "--secret-key", "S", "-b", "photos", "-a", "s3:Fly"); err == nil ||
		!strings.Contains(complaint, "no S3 action") {
		t.Errorf("got %q, %v", complaint, err)
	}
}
