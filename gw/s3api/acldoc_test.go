package s3api

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

const aclOpen = `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>me</ID></Owner><AccessControlList>`

func grantXML(kind, who, permission string) string {
	return `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="` + kind + `">` + who + `</Grantee><Permission>` + permission +
		`</Permission></Grant>`
}

func TestDecodeACL(t *testing.T) {
	const end = `</AccessControlList></AccessControlPolicy>`
	user := "<ID>01</ID><DisplayName>x</DisplayName>"
	for _, tt := range []struct {
		name, body string
		want       []Grant
		code       Code
	}{
		{"none", aclOpen + end, nil, ""},
		{"empty list", `<AccessControlPolicy><Owner><ID>me</ID></Owner><AccessControlList/></AccessControlPolicy>`, nil, ""},
		{"user", aclOpen + grantXML("CanonicalUser", user, "READ") + end, []Grant{{Type: CanonicalUser, Grantee: Owner{"01", "x"}, Permission: "READ"}}, ""},
		{"mail", aclOpen + grantXML("AmazonCustomerByEmail", "<EmailAddress>a@b</EmailAddress>", "WRITE_ACP") + end,
			[]Grant{{Type: EmailUser, Email: "a@b", Permission: "WRITE_ACP"}}, ""},
		{"group", aclOpen + grantXML("Group", "<URI>u</URI>", "FULL_CONTROL") + end, []Grant{{Type: UserGroup, GroupURI: "u", Permission: "FULL_CONTROL"}}, ""},
		{"no type", aclOpen + `<Grant><Grantee>` + user + `</Grantee><Permission>READ</Permission></Grant>` + end, nil, MalformedACLError},
		{"other type", aclOpen + grantXML("Everybody", user, "READ") + end, nil, MalformedACLError},
		{"type of another", aclOpen + grantXML("Group", user, "READ") + end, nil, MalformedACLError},
		{"two grantees", aclOpen + grantXML("CanonicalUser", user+"<URI>u</URI>", "READ") + end, nil, MalformedACLError},
		{"nobody", aclOpen + grantXML("CanonicalUser", "", "READ") + end, nil, MalformedACLError},
		{"permission", aclOpen + grantXML("CanonicalUser", user, "read") + end, nil, MalformedACLError},
		{"no permission", aclOpen + `<Grant><Grantee xmlns:xsi="x" xsi:type="CanonicalUser">` + user + `</Grantee></Grant>` + end, nil, MalformedACLError},
		{"no owner", `<AccessControlPolicy><AccessControlList/></AccessControlPolicy>`, nil, MalformedACLError},
		{"owner without id", `<AccessControlPolicy><Owner/><AccessControlList/></AccessControlPolicy>`, nil, MalformedACLError},
		{"no list", `<AccessControlPolicy><Owner><ID>me</ID></Owner></AccessControlPolicy>`, nil, MalformedACLError},
		{"not XML", "acl", nil, MalformedACLError},
		{"empty", "", nil, MalformedACLError},
		{"too many", aclOpen + strings.Repeat(grantXML("CanonicalUser", user, "READ"), MaxGrants+1) + end, nil, MalformedACLError},
	} {
		got, err := DecodeACL([]byte(tt.body))
		if codeOf(err) != tt.code || err == nil && (got.Owner.ID != "me" || !reflect.DeepEqual(got.Grants, tt.want)) {
			t.Errorf("%s: got %+v, %v; want %+v, %v", tt.name, got, err, tt.want, tt.code)
		}
	}
	full := aclOpen + strings.Repeat(grantXML("CanonicalUser", user, "READ"), MaxGrants) + end
	if got, err := DecodeACL([]byte(full)); err != nil || len(got.Grants) != MaxGrants {
		t.Errorf("%d grants: %v", MaxGrants, err)
	}
}

func FuzzDecodeACL(f *testing.F) {
	f.Add([]byte(aclOpen + grantXML("CanonicalUser", "<ID>01</ID>", "READ") + "</AccessControlList></AccessControlPolicy>"))
	f.Add([]byte(aclOpen + grantXML("Group", "<URI>u</URI>", "FULL_CONTROL") + "</AccessControlList></AccessControlPolicy>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, err := DecodeACL(body)
		if err != nil {
			return
		}
		for _, g := range doc.Grants {
			if g.Type == EmailUser {
				return // never written
			}
		}
		written := doc.Append(nil)
		again, err := DecodeACL(written)
		if err != nil || !bytes.Equal(again.Append(nil), written) {
			t.Errorf("%s: %v", written, err)
		}
	})
}

func TestAccessDocuments(t *testing.T) {
	testConfig(t, "PublicAccessBlockConfiguration", func(body []byte) ([]byte, error) {
		p, err := DecodePublicAccessBlock(body)
		return p.Append(nil), err
	}, []configCase{
		{name: "all", body: "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy>" +
			"<RestrictPublicBuckets>true</RestrictPublicBuckets>", want: "same"},
		{name: "none", want: "<BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>false</BlockPublicPolicy>" +
			"<RestrictPublicBuckets>false</RestrictPublicBuckets>"},
		{name: "one", body: "<IgnorePublicAcls>TRUE</IgnorePublicAcls>", want: "<BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>" +
			"<BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets>"},
		{name: "no boolean", body: "<IgnorePublicAcls>maybe</IgnorePublicAcls>", code: MalformedXML},
		{name: "twice", body: "<IgnorePublicAcls>true</IgnorePublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>", code: MalformedXML},
		{name: "unknown", body: "<BlockEverything>true</BlockEverything>", code: MalformedXML},
	})
	rule := func(o string) string { return "<Rule><ObjectOwnership>" + o + "</ObjectOwnership></Rule>" }
	testConfig(t, "OwnershipControls", func(body []byte) ([]byte, error) {
		o, err := DecodeOwnershipControls(body)
		return o.Append(nil), err
	}, []configCase{
		{name: "writer", body: rule("ObjectWriter"), want: "same"},
		{name: "preferred", body: rule("BucketOwnerPreferred"), want: "same"},
		{name: "enforced", body: rule("BucketOwnerEnforced"), want: "same"},
		{name: "unknown", body: rule("Nobody"), code: MalformedXML},
		{name: "none", code: MalformedXML},
		{name: "empty", body: "<Rule/>", code: MalformedXML},
		{name: "two", body: rule("ObjectWriter") + rule("ObjectWriter"), code: MalformedXML},
	})
	if got, want := string(AppendPolicyStatus(nil, true)), "<IsPublic>true</IsPublic></PolicyStatus>"; !strings.HasSuffix(got, want) {
		t.Errorf("got %s", got)
	}
}
