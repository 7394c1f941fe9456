package acl

import (
	"slices"

	"holdfast/gw/s3api"
)

// Right is a set of rights. A grant gives one of five: a single one, or [FullControl].
type Right uint8

// The rights. What they mean depends on what the list belongs to: Read lists a bucket, or reads an object; Write creates, replaces and
// deletes the objects of a bucket, and means nothing on an object.
const (
	Read Right = 1 << iota
	Write
	ReadACP  // read the list
	WriteACP // change the list

	FullControl = Read | Write | ReadACP | WriteACP
)

// rights in the order in which S3 lists its grant headers.
var rights = [...]struct {
	right  Right
	name   string
	header string
}{
	{Read, "READ", "X-Amz-Grant-Read"},
	{Write, "WRITE", "X-Amz-Grant-Write"},
	{ReadACP, "READ_ACP", "X-Amz-Grant-Read-Acp"},
	{WriteACP, "WRITE_ACP", "X-Amz-Grant-Write-Acp"},
	{FullControl, "FULL_CONTROL", "X-Amz-Grant-Full-Control"},
}

// String returns the right as documents have it, such as "READ_ACP"; "" for what no single grant can give.
func (r Right) String() string {
	for _, row := range rights {
		if row.right == r {
			return row.name
		}
	}
	return ""
}

// ParseRight is the inverse of [Right.String].
func ParseRight(name string) (Right, bool) {
	for _, row := range rights {
		if row.name == name {
			return row.right, true
		}
	}
	return 0, false
}

// Group is a group of users that S3 has defined; stored, so appended to only.
type Group uint8

// The groups.
const (
	NoGroup            Group = iota // a single user
	AllUsers                        // everybody, anonymous callers too
	AuthenticatedUsers              // everybody who signs
	LogDelivery                     // the writer of access logs
	groupEnd
)

var groupURIs = [groupEnd]string{
	AllUsers:           "http://acs.amazonaws.com/groups/global/AllUsers",
	AuthenticatedUsers: "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
	LogDelivery:        "http://acs.amazonaws.com/groups/s3/LogDelivery",
}

// URI returns the URI that names the group.
func (g Group) URI() string {
	if g < groupEnd {
		return groupURIs[g]
	}
	return ""
}

// ParseGroup is the inverse of [Group.URI].
func ParseGroup(uri string) (Group, bool) {
	for g := AllUsers; g < groupEnd; g++ {
		if groupURIs[g] == uri {
			return g, true
		}
	}
	return NoGroup, false
}

// Grant gives a right to a user, or with Group set to a group.
type Grant struct {
	User  string // id
	Group Group
	Right Right
}

// public reports whether the grant is to everybody, which is what public access blocks are about.
func (g *Grant) public() bool { return g.Group == AllUsers || g.Group == AuthenticatedUsers }

// List is an access control list. The empty list, unlike one that was never set, gives nothing to anybody.
type List []Grant

// Private is the list of what only its owner may touch: the one of buckets and objects for which nothing else was said.
func Private(owner string) List { return List{{User: owner, Right: FullControl}} }

// IsPrivate reports whether the list is that of [Private].
func (l List) IsPrivate(owner string) bool {
	return len(l) == 1 && l[0] == Grant{User: owner, Right: FullControl}
}

// Public reports whether the list gives anything to everybody.
func (l List) Public() bool {
	for i := range l {
		if l[i].public() {
			return true
		}
	}
	return false
}

// Allows reports whether a user has all of want. The anonymous caller is "". With ignorePublic grants to everybody do not count.
func (l List) Allows(user string, signed bool, want Right, ignorePublic bool) bool {
	var has Right
	for i := range l {
		g := &l[i]
		switch {
		case g.Group == NoGroup && g.User == user,
			g.Group == AllUsers && !ignorePublic,
			g.Group == AuthenticatedUsers && signed && !ignorePublic:
			has |= g.Right
		}
	}
	return has&want == want
}

// Document returns the list as it is shown; owner is whom the thing belongs to, and show tells how users are shown. Groups come before
// users, as in canned lists: there are clients that look for a grant by its place.
func (l List) Document(owner string, show func(user string) s3api.Owner) *s3api.ACLDocument {
	doc := &s3api.ACLDocument{Owner: show(owner), Grants: make([]s3api.Grant, len(l))}
	shown := slices.Clone(l)
	slices.SortStableFunc(shown, func(a, b Grant) int {
		switch {
		case (a.Group == NoGroup) == (b.Group == NoGroup):
			return 0
		case b.Group == NoGroup:
			return -1
		}
		return 1
	})
	for i, g := range shown {
		to := &doc.Grants[i]
		to.Permission = g.Right.String()
		if g.Group == NoGroup {
			to.Type, to.Grantee = s3api.CanonicalUser, show(g.User)
		} else {
			to.Type, to.GroupURI = s3api.UserGroup, g.Group.URI()
		}
	}
	return doc
}
