package acl

import (
	"slices"
	"testing"

	"holdfast/gw/s3api"
)

func TestDocumentShowsGroupsFirst(t *testing.T) {
	l := List{{User: "me", Right: FullControl}, {Group: AllUsers, Right: Read}, {User: "01", Right: Read}, {Group: AuthenticatedUsers, Right: Write}}
	kept := slices.Clone(l)
	var got []string
	for _, g := range l.Document("me", func(user string) s3api.Owner { return s3api.Owner{ID: user} }).Grants {
		got = append(got, g.Grantee.ID+g.GroupURI+" "+g.Permission)
	}
	want := []string{AllUsers.URI() + " READ", AuthenticatedUsers.URI() + " WRITE", "me FULL_CONTROL", "01 READ"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !slices.Equal(l, kept) {
		t.Errorf("showing the list changed it to %v", l)
	}
}
