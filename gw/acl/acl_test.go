package acl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"holdfast"
	"holdfast/gw/s3api"
)

// people is a [Directory]: e-mail addresses by id.
type people map[string]string

func (p people) UserByID(_ context.Context, id string) (bool, error) {
	_, ok := p[id]
	return ok, nil
}

func (p people) UserByEmail(_ context.Context, email string) (string, bool, error) {
	for id, mail := range p {
		if mail == email {
			return id, true, nil
		}
	}
	return "", false, nil
}

// text writes a list for comparisons.
func text(l List) string {
	var words []string
	for _, g := range l {
		who := g.User
		if g.Group != NoGroup {
			who = g.Group.URI()[strings.LastIndexByte(g.Group.URI(), '/')+1:]
		}
		words = append(words, who+":"+g.Right.String())
	}
	return strings.Join(words, " ")
}

func codeOf(err error) s3api.Code {
	if err == nil {
		return ""
	}
	return s3api.AsError(err).Code
}

func TestCanned(t *testing.T) {
	bucket := Place{Owner: "me", BucketOwner: "me"}
	object := Place{Owner: "me", BucketOwner: "boss", Object: true}
	for _, tt := range []struct {
		name  string
		place Place
		want  string
		code  s3api.Code
	}{
		{"", bucket, "me:FULL_CONTROL", ""},
		{"private", bucket, "me:FULL_CONTROL", ""},
		{"public-read", bucket, "AllUsers:READ me:FULL_CONTROL", ""},
		{"public-read-write", object, "AllUsers:READ AllUsers:WRITE me:FULL_CONTROL", ""},
		{"authenticated-read", object, "AuthenticatedUsers:READ me:FULL_CONTROL", ""},
		{"log-delivery-write", bucket, "LogDelivery:WRITE LogDelivery:READ_ACP me:FULL_CONTROL", ""},
		{"log-delivery-write", object, "", s3api.InvalidArgument},
		{"bucket-owner-read", object, "me:FULL_CONTROL boss:READ", ""},
		{"bucket-owner-full-control", object, "me:FULL_CONTROL boss:FULL_CONTROL", ""},
		{"bucket-owner-full-control", Place{Owner: "me", BucketOwner: "me", Object: true}, "me:FULL_CONTROL", ""},
		{"bucket-owner-read", bucket, "me:FULL_CONTROL", ""},
		{"aws-exec-read", bucket, "", s3api.NotImplemented},
		{"public", bucket, "", s3api.InvalidArgument},
		{"Private", bucket, "", s3api.InvalidArgument},
	} {
		h := http.Header{}
		if tt.name != "" {
			h.Set("X-Amz-Acl", tt.name)
		}
		r, err := FromHeader(h)
		var l List
		if err == nil {
			l, err = r.Resolve(t.Context(), people{}, tt.place)
		}
		if text(l) != tt.want || codeOf(err) != tt.code {
			t.Errorf("%q: got %q, %v; want %q, %q", tt.name, text(l), err, tt.want, tt.code)
		}
	}
}

func TestGrantHeaders(t *testing.T) {
	known := people{"01": "a@example.com", "02": "b@example.com"}
	place := Place{Owner: "me", BucketOwner: "boss"}
	all := `uri="http://acs.amazonaws.com/groups/global/AllUsers"`
	for _, tt := range []struct {
		headers []string // name, value, …
		want    string
		code    s3api.Code
	}{
		{[]string{"read", `id="01"`}, "01:READ", ""},
		{[]string{"read", `id=01`}, "01:READ", ""},
		{[]string{"read", ` id = "01" , emailAddress="b@example.com",` + all}, "01:READ 02:READ AllUsers:READ", ""},
		{[]string{"full-control", "id=me", "read", "ID=boss"}, "boss:READ me:FULL_CONTROL", ""},
		{[]string{"write-acp", "id=01", "read-acp", "id=01", "write", "id=01", "read", "id=01", "full-control", "id=01"},
			"01:READ 01:WRITE 01:READ_ACP 01:WRITE_ACP 01:FULL_CONTROL", ""},
		{[]string{"read", `id="03"`}, "", s3api.InvalidArgument},
		{[]string{"read", `emailAddress="c@example.com"`}, "", s3api.UnresolvableGrantByEmailAddress},
		{[]string{"read", `uri="http://example.com/everybody"`}, "", s3api.InvalidArgument},
		{[]string{"read", "01"}, "", s3api.InvalidArgument},
		{[]string{"read", `id="01`}, "", s3api.InvalidArgument},
		{[]string{"read", `id="01"x`}, "", s3api.InvalidArgument},
		{[]string{"read", `id="01",`}, "", s3api.InvalidArgument},
		{[]string{"read", `id=""`}, "", s3api.InvalidArgument},
		{[]string{"read", `name="01"`}, "", s3api.InvalidArgument},
		{[]string{"read", strings.TrimSuffix(strings.Repeat("id=01,", s3api.MaxGrants), ",")}, strings.TrimSuffix(strings.Repeat("01:READ ", s3api.MaxGrants), " "), ""},
		{[]string{"read", strings.Repeat("id=01,", s3api.MaxGrants) + "id=01"}, "", s3api.InvalidArgument},
		{[]string{"read", strings.Repeat("id=01,", 60) + "id=01", "write", strings.Repeat("id=01,", 60) + "id=01"}, "", s3api.MalformedACLError},
	} {
		h := http.Header{}
		for i := 0; i < len(tt.headers); i += 2 {
			h.Set("X-Amz-Grant-"+tt.headers[i], tt.headers[i+1])
		}
		r, err := FromHeader(h)
		var l List
		if err == nil {
			l, err = r.Resolve(t.Context(), known, place)
		}
		if text(l) != tt.want || codeOf(err) != tt.code {
			t.Errorf("%.100q: got %q, %v; want %q, %q", tt.headers, text(l), err, tt.want, tt.code)
		}
	}
	both := http.Header{"X-Amz-Acl": {"private"}, "X-Amz-Grant-Read": {"id=01"}}
	if _, err := FromHeader(both); codeOf(err) != s3api.InvalidRequest {
		t.Errorf("both kinds: %v", err)
	}
	failing := errors.New("no directory")
	r, err := FromHeader(http.Header{"X-Amz-Grant-Read": {"id=01"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Resolve(t.Context(), broken{failing}, place); !errors.Is(err, failing) {
		t.Errorf("got %v, want the directory's error", err)
	}
}

// broken is a [Directory] that cannot be asked.
type broken struct{ err error }

func (b broken) UserByID(context.Context, string) (bool, error) { return false, b.err }

func (b broken) UserByEmail(context.Context, string) (string, bool, error) { return "", false, b.err }

func TestDocument(t *testing.T) {
	l := List{{Group: AllUsers, Right: Read}, {User: "me", Right: FullControl}, {User: "01", Right: WriteACP}}
	doc := l.Document("me", func(user string) s3api.Owner { return s3api.Owner{ID: user} }).Append(nil)
	r, err := FromDocument(doc, "me")
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Resolve(t.Context(), people{"01": ""}, Place{Owner: "me", BucketOwner: "me"})
	if err != nil || !slices.Equal(got, l) {
		t.Errorf("got %v, %v; want %v", text(got), err, text(l))
	}
	if _, err := FromDocument(doc, "another"); codeOf(err) != s3api.AccessDenied {
		t.Errorf("a document that gives the thing away: %v", err)
	}
	if r, err := FromDocument(List{}.Document("me", func(u string) s3api.Owner { return s3api.Owner{ID: u} }).Append(nil), "me"); err != nil || r.IsZero() {
		t.Errorf("no grants: %+v, %v: nothing is not the same as not said", r, err)
	}
}

func TestAllows(t *testing.T) {
	l := List{{User: "me", Right: FullControl}, {User: "reader", Right: Read}, {User: "reader", Right: ReadACP}, {Group: AuthenticatedUsers, Right: WriteACP},
		{Group: AllUsers, Right: Write}, {Group: LogDelivery, Right: ReadACP}}
	for _, tt := range []struct {
		user   string
		signed bool
		want   Right
		ignore bool
		ok     bool
	}{
		{"me", true, FullControl, true, true},
		{"reader", true, Read | ReadACP, true, true},
		{"reader", true, Write, false, true},
		{"reader", true, Write, true, false},
		{"other", true, WriteACP, false, true},
		{"other", true, WriteACP, true, false},
		{"other", true, Read, false, false},
		{"", false, Write, false, true},
		{"", false, WriteACP, false, false},
		{"", false, Read, false, false},
		{"", false, Write, true, false},
	} {
		if ok := l.Allows(tt.user, tt.signed, tt.want, tt.ignore); ok != tt.ok {
			t.Errorf("%+v: got %t", tt, ok)
		}
	}
	if !l.Public() || (List{{User: "a", Right: Read}, {Group: LogDelivery, Right: Write}}).Public() {
		t.Error("Public is wrong")
	}
}

// TestStoredForm fixes what is on disk.
func TestStoredForm(t *testing.T) {
	for _, tt := range []struct {
		list List
		want string
	}{
		{Private("me"), ""},
		{List{}, "0100"},
		{List{{Group: AllUsers, Right: Read}, {User: "me", Right: FullControl}}, "0102" + "0101" + "000f02" + "6d65"},
		{List{{User: "me", Right: Read}}, "0101" + "000102" + "6d65"},
		{List{{Group: LogDelivery, Right: ReadACP}, {Group: AuthenticatedUsers, Right: WriteACP}, {Group: AllUsers, Right: Write}}, "0103" + "0304" + "0208" + "0102"},
	} {
		data := tt.list.Encode("me")
		if got := fmt.Sprintf("%x", data); got != tt.want {
			t.Errorf("%s: got %s, want %s", text(tt.list), got, tt.want)
		}
		if got, err := Decode(data, "me"); err != nil || !slices.Equal(got, tt.list) {
			t.Errorf("%s: decoded %s, %v", text(tt.list), text(got), err)
		}
	}
	for name, data := range map[string][]byte{
		"another version":  {2, 0},
		"short":            {1},
		"too many":         {1, 101},
		"cut off":          {1, 1, 0, 1, 2, 'm'},
		"more behind":      {1, 0, 0},
		"no such group":    {1, 1, 9, 1},
		"no such right":    {1, 1, 1, 3},
		"the private list": append([]byte{1, 1, 0, 15, 2}, "me"...),
	} {
		if l, err := Decode(data, "me"); !holdfast.Is(err, holdfast.Corrupt) {
			t.Errorf("%s: got %s, %v", name, text(l), err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(List{}.Encode("me"))
	f.Add(List{{Group: AllUsers, Right: Read}, {User: "me", Right: FullControl}}.Encode("me"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Decode(data, "me")
		if err != nil {
			return
		}
		if again := l.Encode("me"); !bytes.Equal(again, data) {
			t.Errorf("%x decodes to %s, which encodes to %x", data, text(l), again)
		}
	})
}

func FuzzGrantHeader(f *testing.F) {
	f.Add(`id="01", emailAddress=a@example.com,uri="http://acs.amazonaws.com/groups/global/AllUsers"`)
	f.Add(`id="`)
	f.Fuzz(func(t *testing.T, value string) {
		r, err := FromHeader(http.Header{"X-Amz-Grant-Read": {value}})
		if err == nil && (len(r.grants) == 0 || len(r.grants) > s3api.MaxGrants) {
			t.Errorf("%q gives %d grants", value, len(r.grants))
		}
	})
}
