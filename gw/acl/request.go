package acl

import (
	"context"
	"net/http"
	"strings"

	"holdfast/gw/s3api"
)

// Directory finds the users that a request grants something to. Safe for concurrent use.
type Directory interface {
	// UserByID reports whether there is a user with this id.
	UserByID(ctx context.Context, id string) (bool, error)
	// UserByEmail returns the id of the user with this e-mail address, false if there is none.
	UserByEmail(ctx context.Context, email string) (string, bool, error)
}

// Request is the access control list that a request asks for, before its users were looked up. The zero Request asks for none.
type Request struct {
	Canned string // name of a canned list; "": none
	grants []asked
}

// asked is a grant of a request, with what to call it in an error.
type asked struct {
	s3api.Grant
	header bool // asked for in a header, not in a document
}

// IsZero reports whether the request says nothing about access.
func (r *Request) IsZero() bool { return r.Canned == "" && r.grants == nil }

// FromHeader reads x-amz-acl and the x-amz-grant-… headers, of which a request may have one kind.
func FromHeader(h http.Header) (Request, error) {
	r := Request{Canned: h.Get("X-Amz-Acl")}
	for _, row := range rights {
		for _, value := range h[row.header] {
			grants, err := parseGrants(row.header, value)
			if err != nil {
				return Request{}, err
			}
			for i := range grants {
				grants[i].Permission = row.name
			}
			r.grants = append(r.grants, grants...)
		}
	}
	if r.Canned != "" && r.grants != nil {
		return Request{}, s3api.E(s3api.InvalidRequest).WithMessage("Specifying both Canned ACLs and Header Grants is not allowed")
	}
	if _, known := cannedLists[r.Canned]; r.Canned != "" && !known {
		return Request{}, s3api.BadArgument("x-amz-acl", r.Canned, "")
	}
	if r.Canned == awsExecRead {
		return Request{}, s3api.HeaderRefused("x-amz-acl", "")
	}
	return r, nil
}

// FromDocument reads the body of PutBucketAcl or PutObjectAcl on what belongs to owner. A document with another owner is AccessDenied: things
// cannot be given away.
func FromDocument(body []byte, owner string) (Request, error) {
	doc, err := s3api.DecodeACL(body)
	if err != nil {
		return Request{}, err
	}
	if doc.Owner.ID != owner {
		return Request{}, s3api.E(s3api.AccessDenied)
	}
	r := Request{grants: make([]asked, len(doc.Grants))}
	for i := range doc.Grants {
		r.grants[i].Grant = doc.Grants[i]
	}
	return r, nil
}

// parseGrants reads the value of a grant header: id="…", emailAddress="…" and uri="…", separated by commas, the quotes optional.
func parseGrants(header, value string) ([]asked, error) {
	argument := strings.ToLower(header)
	malformed := s3api.BadArgument(argument, value, "Argument format not recognized")
	var grants []asked
	for rest := value; ; {
		name, text, ok := strings.Cut(strings.TrimLeft(rest, " \t"), "=")
		if !ok || len(grants) == s3api.MaxGrants {
			return nil, malformed
		}
		var what string
		if quoted, isQuoted := strings.CutPrefix(strings.TrimLeft(text, " \t"), `"`); isQuoted {
			if what, rest, ok = strings.Cut(quoted, `"`); !ok {
				return nil, malformed
			}
			rest = strings.TrimLeft(rest, " \t")
			if rest != "" && rest[0] != ',' {
				return nil, malformed
			}
		} else {
			end := strings.IndexByte(text, ',')
			if end < 0 {
				end = len(text)
			}
			what, rest = strings.TrimSpace(text[:end]), text[end:]
		}
		g, ok := newGrant(strings.TrimSpace(name), what)
		if !ok {
			return nil, malformed
		}
		grants = append(grants, asked{Grant: g, header: true})
		if rest == "" {
			return grants, nil
		}
		rest = rest[1:]
	}
}

func newGrant(name, what string) (g s3api.Grant, ok bool) {
	switch strings.ToLower(name) {
	case "id":
		g.Type, g.Grantee.ID = s3api.CanonicalUser, what
	case "emailaddress":
		g.Type, g.Email = s3api.EmailUser, what
	case "uri":
		g.Type, g.GroupURI = s3api.UserGroup, what
	default:
		return g, false
	}
	return g, what != ""
}

// awsExecRead gives a machine image to EC2, which is not here.
const awsExecRead = "aws-exec-read"

// cannedLists says for each canned list what it grants beside the owner's full control.
var cannedLists = map[string]List{
	"private":                   nil,
	"public-read":               {{Group: AllUsers, Right: Read}},
	"public-read-write":         {{Group: AllUsers, Right: Read}, {Group: AllUsers, Right: Write}},
	"authenticated-read":        {{Group: AuthenticatedUsers, Right: Read}},
	"log-delivery-write":        {{Group: LogDelivery, Right: Write}, {Group: LogDelivery, Right: ReadACP}},
	"bucket-owner-read":         nil, // see canned
	"bucket-owner-full-control": nil,
	awsExecRead:                 nil,
}

// BucketOwnerFullControl is the canned list by which a writer lets the bucket's owner have an object.
const BucketOwnerFullControl = "bucket-owner-full-control"

// Place is what a list is for.
type Place struct {
	Owner       string // of the bucket or the object
	BucketOwner string
	Object      bool
}

// canned returns the canned list of a name that FromHeader let pass. On a bucket those about its owner say nothing new.
func canned(name string, p Place) List {
	l := append(List(nil), cannedLists[name]...)
	l = append(l, Grant{User: p.Owner, Right: FullControl})
	if p.Object && p.BucketOwner != p.Owner {
		switch name {
		case "bucket-owner-read":
			l = append(l, Grant{User: p.BucketOwner, Right: Read})
		case BucketOwnerFullControl:
			l = append(l, Grant{User: p.BucketOwner, Right: FullControl})
		}
	}
	return l
}

// Resolve returns the list that is asked for: the private one if nothing is, a canned one, or the grants with their users looked up. With grants,
// nothing is added for the owner, as in S3. An unknown user or group is InvalidArgument or UnresolvableGrantByEmailAddress; other
// errors are the directory's.
func (r *Request) Resolve(ctx context.Context, users Directory, p Place) (List, error) {
	if r.grants == nil {
		if r.Canned == "log-delivery-write" && p.Object {
			return nil, s3api.BadArgument("x-amz-acl", r.Canned, "")
		}
		return canned(r.Canned, p), nil
	}
	l := make(List, 0, len(r.grants))
	for i := range r.grants {
		g, err := r.grants[i].resolve(ctx, users, p)
		if err != nil {
			return nil, err
		}
		l = append(l, g)
	}
	if !l.usable() {
		return nil, s3api.E(s3api.MalformedACLError)
	}
	return l, nil
}

func (a *asked) resolve(ctx context.Context, users Directory, p Place) (Grant, error) {
	right, _ := ParseRight(a.Permission) // one of five: a header's own, or the document's, which was checked
	switch a.Type {
	case s3api.UserGroup:
		group, ok := ParseGroup(a.GroupURI)
		if !ok {
			return Grant{}, s3api.BadArgument(a.named("uri", "Group/URI"), a.GroupURI, "Invalid group uri")
		}
		return Grant{Group: group, Right: right}, nil
	case s3api.EmailUser:
		id, ok, err := users.UserByEmail(ctx, a.Email)
		if err == nil && !ok {
			err = s3api.E(s3api.UnresolvableGrantByEmailAddress).With("Email", a.Email)
		}
		return Grant{User: id, Right: right}, err
	}
	id := a.Grantee.ID
	if id == p.Owner || id == p.BucketOwner {
		return Grant{User: id, Right: right}, nil
	}
	ok, err := users.UserByID(ctx, id)
	if err == nil && !ok {
		err = s3api.BadArgument(a.named("id", "CanonicalUser/ID"), id, "Invalid id")
	}
	return Grant{User: id, Right: right}, err
}

// named returns the name of the argument that an error is about, which is called otherwise in headers and in documents.
func (a *asked) named(inHeader, inDocument string) string {
	if a.header {
		return inHeader
	}
	return inDocument
}
