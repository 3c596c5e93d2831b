# What contrib/freebsd/Makefile needs of FreeBSD's ports, written from the Porter's Handbook: 'bmake stage' installs into
# STAGEDIR. The caller gives WRKSRC, CARGO_TARGET_DIR and STAGEDIR.

PREFIX=			/usr/local
DOCSDIR=		${PREFIX}/share/doc/${PORTNAME}
EXAMPLESDIR=		${PREFIX}/share/examples/${PORTNAME}

MKDIR=			mkdir -p
FIND=			find
HEAD=			head
REINPLACE_CMD=		sed -i.bak
INSTALL_PROGRAM=	install -m 555
INSTALL_SCRIPT=		install -m 555
INSTALL_DATA=		install -m 444
INSTALL_MAN=		install -m 444
COPYTREE_SHARE=		sh -c 'cp -R "$$0" "$$1"'

.include "${.CURDIR}/Makefile.crates"

stage: post-patch do-install do-install-DOCS-on do-install-EXAMPLES-on
.ORDER: post-patch do-install do-install-DOCS-on do-install-EXAMPLES-on

crates:
.for crate in ${CARGO_CRATES}
	@echo ${crate}
.endfor
