package acl

import (
	"errors"

	"holdfast"
	"holdfast/gw/s3api"
)

// codeVersion begins a stored list.
const codeVersion = 1

// maxUser bounds a user id in a stored list.
const maxUser = 255

// Encode returns the list as it is stored with what belongs to owner: nothing for the private list, else
//
//	version 1 | number of grants | grants: group | right | for a user: length of the id | id
//
// where each number is one byte.
func (l List) Encode(owner string) []byte {
	if l.IsPrivate(owner) {
		return nil
	}
	data := []byte{codeVersion, byte(len(l))}
	for _, g := range l {
		data = append(data, byte(g.Group), byte(g.Right))
		if g.Group == NoGroup {
			data = append(data, byte(len(g.User)))
			data = append(data, g.User...)
		}
	}
	return data
}

var errCode = errors.New("not an access control list")

// Decode reads what [List.Encode] made for owner. The error is [holdfast.Corrupt].
func Decode(data []byte, owner string) (List, error) {
	if len(data) == 0 {
		return Private(owner), nil
	}
	corrupt := holdfast.E("acl.decode", holdfast.Corrupt, errCode)
	if len(data) < 2 || data[0] != codeVersion || data[1] > s3api.MaxGrants {
		return nil, corrupt
	}
	l := make(List, 0, data[1])
	rest := data[2:]
	for range int(data[1]) {
		if len(rest) < 2 {
			return nil, corrupt
		}
		g := Grant{Group: Group(rest[0]), Right: Right(rest[1])}
		rest = rest[2:]
		if g.Group >= groupEnd || g.Right.String() == "" {
			return nil, corrupt
		}
		if g.Group == NoGroup {
			if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
				return nil, corrupt
			}
			g.User, rest = string(rest[1:1+int(rest[0])]), rest[1+int(rest[0]):]
		}
		l = append(l, g)
	}
	if len(rest) > 0 || l.IsPrivate(owner) { // the private list has one form
		return nil, corrupt
	}
	return l, nil
}

// usable reports whether the stored form can hold the list.
func (l List) usable() bool {
	for i := range l {
		if len(l[i].User) > maxUser {
			return false
		}
	}
	return len(l) <= s3api.MaxGrants
}
