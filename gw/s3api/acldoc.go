package s3api

// MaxGrants bounds the grants of one access control list.
const MaxGrants = 100

// Grant is one grant of an access control list as documents have it: to a user by id or e-mail address, or to a group by URI. Which of them is
// given follows from Type.
type Grant struct {
	Type       string // "CanonicalUser", "AmazonCustomerByEmail" or "Group"
	Grantee    Owner  // CanonicalUser
	Email      string // AmazonCustomerByEmail; in requests alone
	GroupURI   string // Group
	Permission string // FULL_CONTROL, READ, WRITE, READ_ACP or WRITE_ACP
}

// The types of grantees.
const (
	CanonicalUser = "CanonicalUser"
	EmailUser     = "AmazonCustomerByEmail"
	UserGroup     = "Group"
)

// ACLDocument is an AccessControlPolicy document
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html).
type ACLDocument struct {
	Owner  Owner
	Grants []Grant
}

// Append appends the answer of GetBucketAcl and GetObjectAcl. Users are written by id.
func (d *ACLDocument) Append(dst []byte) []byte {
	const schema = `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="`
	dst = appendRoot(dst, "AccessControlPolicy")
	dst = d.Owner.append(dst, "Owner")
	dst = appendOpen(dst, "AccessControlList")
	for i := range d.Grants {
		g := &d.Grants[i]
		dst = appendOpen(dst, "Grant")
		dst = append(dst, schema...)
		if g.Type == UserGroup {
			dst = append(dst, `Group">`...)
			dst = appendElement(dst, "URI", g.GroupURI)
		} else {
			dst = append(dst, `CanonicalUser">`...)
			dst = appendElement(dst, "ID", g.Grantee.ID)
			dst = appendOptional(dst, "DisplayName", g.Grantee.DisplayName)
		}
		dst = appendClose(dst, "Grantee")
		dst = appendElement(dst, "Permission", g.Permission)
		dst = appendClose(dst, "Grant")
	}
	dst = appendClose(dst, "AccessControlList")
	return appendClose(dst, "AccessControlPolicy")
}

// DecodeACL decodes the body of PutBucketAcl and PutObjectAcl. What is not XML, or not that document, is MalformedACLError. Whether
// the grantees exist is not looked at.
func DecodeACL(body []byte) (*ACLDocument, error) {
	var doc ACLDocument
	var owner, list bool
	err := decodeRoot(body, "AccessControlPolicy", func(s *scanner, name string) error {
		switch {
		case name == "Owner" && !owner:
			owner = true
			return s.grantee(&doc.Owner, nil, nil)
		case name == "AccessControlList" && !list:
			list = true
			return s.each(func(name string) error {
				if name != "Grant" || len(doc.Grants) == MaxGrants {
					return s.fail("unexpected element " + name)
				}
				g, err := s.grant()
				doc.Grants = append(doc.Grants, g)
				return err
			})
		}
		return s.fail("unexpected element " + name)
	})
	if err != nil || !owner || !list || doc.Owner.ID == "" {
		return nil, E(MalformedACLError).WithCause(err)
	}
	return &doc, nil
}

func (s *scanner) grant() (Grant, error) {
	var g Grant
	var seen map[string]bool
	err := s.each(func(name string) error {
		switch {
		case name == "Grantee" && g.Type == "":
			if g.Type = s.attr("type"); g.Type == "" {
				return s.fail("grantee without a type")
			}
			return s.grantee(&g.Grantee, &g.Email, &g.GroupURI)
		case name == "Permission":
			return s.once(&seen, name, &g.Permission)
		}
		return s.fail("unexpected element " + name)
	})
	if err != nil {
		return g, err
	}
	id, email, uri := g.Grantee.ID != "", g.Email != "", g.GroupURI != ""
	switch {
	case g.Type == CanonicalUser && id && !email && !uri:
	case g.Type == EmailUser && email && !id && !uri:
	case g.Type == UserGroup && uri && !id && !email:
	default:
		return g, s.fail("a grantee that does not fit its type")
	}
	switch g.Permission {
	case "FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP":
		return g, nil
	}
	return g, s.fail("unknown permission")
}

// grantee reads the elements of an Owner, or with email and uri of a Grantee.
func (s *scanner) grantee(user *Owner, email, uri *string) error {
	var seen map[string]bool
	return s.each(func(name string) error {
		switch {
		case name == "ID":
			return s.once(&seen, name, &user.ID)
		case name == "DisplayName":
			return s.once(&seen, name, &user.DisplayName)
		case name == "EmailAddress" && email != nil:
			return s.once(&seen, name, email)
		case name == "URI" && uri != nil:
			return s.once(&seen, name, uri)
		}
		return s.fail("unexpected element " + name)
	})
}
