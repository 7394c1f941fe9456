package node

import (
	"holdfast/gw/account"
	"holdfast/gw/policy"
)

// rootName is how the root account is shown.
const rootName = "root"

// openAccounts makes the users of the volume: those it keeps, and root.
func (n *Node) openAccounts(root Credentials) {
	n.accounts = account.New(account.Options{
		Volume: n.volume, Keys: n.keys,
		Root:        account.Root{ID: RootUser, Name: rootName, AccessKey: root.AccessKey, Secret: root.SecretKey},
		CheckPolicy: checkPolicy,
	})
}

// checkPolicy takes the policies of service accounts that can be evaluated.
func checkPolicy(document []byte) ([]byte, error) {
	_, err := policy.ParseIdentity(document)
	return document, err
}
