/* SPDX-License-Identifier: Apache-2.0 */
/* Table of spec.accessCredentials. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(credential_secret, "AccessCredentialSecretSource", "A Secret of the same namespace.",
    STRING("secretName", "Name of the Secret.", REQUIRED));

TYPE(credential_source, "AccessCredentialSource", "Where the credential comes from.",
    OBJECT("secret", credential_secret, "A Secret of the same namespace."));

TYPE(ssh_agent_users, "QemuGuestAgentSSHPublicKeyAccessCredentialPropagation", "Set the keys through the guest agent.",
    STRINGS("users", "Users who get the keys.", REQUIRED, SET));

TYPE(ssh_propagation, "SSHPublicKeyAccessCredentialPropagationMethod", "How the keys reach the guest; one of the three.",
    PRESENCE("configDrive", "By cloud-init's config drive."),
    PRESENCE("noCloud", "By cloud-init's NoCloud disk."),
    OBJECT("qemuGuestAgent", ssh_agent_users, "By the guest agent, also while the guest runs."));

TYPE(ssh_credential, "SSHPublicKeyAccessCredential", "SSH public keys for users of the guest.",
    OBJECT("propagationMethod", ssh_propagation, "How the keys reach the guest.", REQUIRED),
    OBJECT("source", credential_source, "Where the keys come from.", REQUIRED));

TYPE(password_propagation, "UserPasswordAccessCredentialPropagationMethod", "How the passwords reach the guest.",
    PRESENCE("qemuGuestAgent", "By the guest agent."));

TYPE(password_credential, "UserPasswordAccessCredential", "Passwords for users of the guest.",
    OBJECT("propagationMethod", password_propagation, "How the passwords reach the guest.", REQUIRED),
    OBJECT("source", credential_source, "Where user names and passwords come from.", REQUIRED));

TYPE(access_credential, "AccessCredential", "Lets users into the guest; one of the two.",
    OBJECT("sshPublicKey", ssh_credential, "SSH public keys."),
    OBJECT("userPassword", password_credential, "Passwords."));
// clang-format on
