package gwtest

import (
	"strings"
)

// grantsResult is the document of an access control list.
type grantsResult struct {
	Owner  struct{ ID, DisplayName string }
	Grants []struct {
		Grantee struct {
			Type string `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
			ID   string
			URI  string
		}
		Permission string
	} `xml:"AccessControlList>Grant"`
}

// text writes the list for comparisons: the owner and the grants, users as O and U, groups by the last part of their URI.
func (r *grantsResult) text(e *env) string {
	name := strings.NewReplacer(e.creds.Owner.ID, "O", e.creds.Other.ID, "U")
	words := []string{name.Replace(r.Owner.ID)}
	for _, g := range r.Grants {
		who := name.Replace(g.Grantee.ID)
		if g.Grantee.Type == "Group" {
			who = g.Grantee.URI[strings.LastIndexByte(g.Grantee.URI, '/')+1:]
		}
		words = append(words, who+":"+g.Permission)
	}
	return strings.Join(words, " ")
}

// acl reads a list and compares it.
func (e *env) acl(target, want string) {
	e.T.Helper()
	var got grantsResult
	e.req("GET", target).mustBe(200).xml(&got)
	if got := got.text(e); got != want {
		e.T.Errorf("%s: got %s, want %s", target, got, want)
	}
}

// groupURI begins the names of groups.
const groupURI = "http://acs.amazonaws.com/groups/global/"

// testACL sets the lists of a bucket and of an object by canned names, headers and documents, and reads them back.
func testACL(e *env) {
	o := e.owner()
	o.bucket = o.newBucket()
	o.put("k", "data")
	for _, target := range []string{o.on("acl"), o.at("k") + "?acl"} {
		o.acl(target, "O O:FULL_CONTROL")
		for canned, want := range map[string]string{
			"private": "O O:FULL_CONTROL", "public-read": "O AllUsers:READ O:FULL_CONTROL",
			"public-read-write": "O AllUsers:READ AllUsers:WRITE O:FULL_CONTROL", "authenticated-read": "O AuthenticatedUsers:READ O:FULL_CONTROL",
			"bucket-owner-full-control": "O O:FULL_CONTROL",
		} {
			o.req("PUT", target, header("x-amz-acl", canned)).is(200)
			o.acl(target, want)
		}
		o.grants(target)
		o.aclDocuments(target)
		o.aclRefusals(target)
		o.acl(target, "O O:FULL_CONTROL")
	}
	o.req("GET", o.at("none")+"?acl").fails(404, "NoSuchKey")
	o.req("PUT", o.at("none")+"?acl", header("x-amz-acl", "private")).fails(404, "NoSuchKey")
}

// grants sets the list by headers. With them nothing is added for the owner.
func (e *env) grants(target string) {
	e.T.Helper()
	other := e.creds.Other
	e.req("PUT", target, header("x-amz-grant-read", `id="`+other.ID+`", uri="`+groupURI+`AllUsers"`), header("x-amz-grant-full-control", "id="+e.creds.Owner.ID)).is(200)
	e.acl(target, "O AllUsers:READ U:READ O:FULL_CONTROL")
	e.req("PUT", target, header("x-amz-grant-write-acp", "id="+other.ID)).is(200)
	e.acl(target, "O U:WRITE_ACP")
	if other.Email != "" {
		e.req("PUT", target, header("x-amz-grant-read-acp", `emailAddress="`+other.Email+`"`)).is(200)
		e.acl(target, "O U:READ_ACP")
		e.req("PUT", target, header("x-amz-grant-read", `emailAddress="nobody@example.invalid"`)).fails(400, "UnresolvableGrantByEmailAddress")
	}
	e.req("PUT", target, header("x-amz-grant-read", "id=0123456789abcdef")).fails(400, "InvalidArgument")
	e.req("PUT", target, header("x-amz-grant-read", `uri="http://example.com/group"`)).fails(400, "InvalidArgument")
	e.req("PUT", target, header("x-amz-grant-read", "what")).fails(400, "InvalidArgument")
	e.req("PUT", target, header("x-amz-grant-read", "id="+other.ID), header("x-amz-acl", "private")).fails(400, "InvalidRequest")
}

// grantee is one of a document.
func grantee(kind, inside string) string {
	return `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="` + kind + `">` + inside + `</Grantee>`
}

// aclDocuments sets the list by documents.
func (e *env) aclDocuments(target string) {
	e.T.Helper()
	owner, other := e.creds.Owner.ID, e.creds.Other.ID
	e.req("PUT", target, text(aclDocument(owner, grantee("CanonicalUser", "<ID>"+other+"</ID>"), "READ"))).is(200)
	e.acl(target, "O U:READ")
	e.req("PUT", target, text(aclDocument(owner, grantee("Group", "<URI>"+groupURI+"AuthenticatedUsers</URI>"), "WRITE"))).is(200)
	e.acl(target, "O AuthenticatedUsers:WRITE")
	if mail := e.creds.Other.Email; mail != "" {
		e.req("PUT", target, text(aclDocument(owner, grantee("AmazonCustomerByEmail", "<EmailAddress>"+mail+"</EmailAddress>"), "FULL_CONTROL"))).is(200)
		e.acl(target, "O U:FULL_CONTROL")
	}
	e.req("PUT", target, text(aclDocument(owner, "", ""))).is(200)
	e.acl(target, "O")
	e.req("PUT", target, text(aclDocument(owner, grantee("CanonicalUser", "<ID>"+owner+"</ID>"), "FULL_CONTROL"))).is(200)
}

// aclRefusals are the faults of requests that set a list.
func (e *env) aclRefusals(target string) {
	e.T.Helper()
	owner, other := e.creds.Owner.ID, e.creds.Other.ID
	mine := grantee("CanonicalUser", "<ID>"+owner+"</ID>")
	e.req("PUT", target).fails(400, "MissingSecurityHeader")
	e.req("PUT", target, header("x-amz-acl", "public")).fails(400, "InvalidArgument")
	e.req("PUT", target, header("x-amz-acl", "private"), text(aclDocument(owner, mine, "READ"))).fails(400, "UnexpectedContent")
	e.req("PUT", target, text(aclDocument(other, mine, "READ"))).fails(403, "AccessDenied")
	e.req("PUT", target, text(aclDocument(owner, grantee("CanonicalUser", "<ID>0123456789abcdef</ID>"), "READ"))).fails(400, "InvalidArgument")
	for _, doc := range []string{"what", "<AccessControlPolicy/>", aclDocument(owner, mine, "READ_WRITE"), aclDocument(owner, "<Grantee><ID>"+owner+"</ID></Grantee>", "READ")} {
		e.req("PUT", target, text(doc)).fails(400, "MalformedACLError")
	}
	many := strings.Repeat("<Grant>"+mine+"<Permission>READ</Permission></Grant>", 101)
	e.req("PUT", target, text(strings.Replace(aclDocument(owner, "", ""), "</AccessControlList>", many+"</AccessControlList>", 1))).fails(400, "MalformedACLError")
}
