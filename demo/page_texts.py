"""What the demo's program pages say in the three languages: who can join, and questions that newcomers ask. Nothing about money: that part
of a page is made from the plan."""

from __future__ import annotations

from datetime import datetime

from demo.people import ADMINISTRATOR
from partners import program_texts
from tiers.models import Program

Questions = tuple[tuple[str, str], ...]

HEADLINES: dict[str, dict[str, str]] = {
    "affiliate": {
        "en": "Write about gifts, and earn on what your readers order",
        "fr": "Parlez de cadeaux et gagnez sur ce que vos lecteurs commandent",
        "pl": "Pisz o prezentach i zarabiaj na zamówieniach swoich czytelników",
    },
    "referral": {
        "en": "Recommend us to a shop or an office you know",
        "fr": "Recommandez-nous à une boutique ou à un bureau que vous connaissez",
        "pl": "Poleć nas sklepowi lub biuru, które znasz",
    },
    "agency": {
        "en": "Gifts for your clients, chosen and ordered by you",
        "fr": "Des cadeaux pour vos clients, choisis et commandés par vous",
        "pl": "Prezenty dla Twoich klientów, wybrane i zamówione przez Ciebie",
    },
    "influencer": {
        "en": "A code of your own for the people who follow you",
        "fr": "Un code à vous pour les personnes qui vous suivent",
        "pl": "Własny kod dla osób, które Cię obserwują",
    },
    "distributor": {
        "en": "Carry our range in a country of your own",
        "fr": "Distribuez notre gamme dans un pays qui est le vôtre",
        "pl": "Sprzedawaj nasz asortyment w swoim kraju",
    },
}
WHO_CAN_JOIN: dict[str, dict[str, str]] = {
    "affiliate": {
        "en": "Publishers, review sites and newsletters whose readers buy gifts and home ware. You need a site or a newsletter of your "
        "own; coupon collections are not taken.",
        "fr": "Éditeurs, sites de tests et lettres d’information dont les lecteurs achètent des cadeaux et des objets pour la maison. "
        "Il vous faut un site ou une lettre à vous ; nous n’acceptons pas les sites de bons de réduction.",
        "pl": "Wydawcy, serwisy z recenzjami i newslettery, których czytelnicy kupują prezenty i rzeczy do domu. Potrzebna jest własna "
        "strona lub własny newsletter; nie przyjmujemy serwisów z kuponami.",
    },
    "referral": {
        "en": "Everybody who knows shops or offices that need gifts by the box: customers, suppliers, accountants, neighbours.",
        "fr": "Toute personne qui connaît des boutiques ou des bureaux ayant besoin de cadeaux par cartons : clients, fournisseurs, "
        "comptables, voisins.",
        "pl": "Każdy, kto zna sklepy lub biura potrzebujące prezentów na kartony: klienci, dostawcy, księgowi, sąsiedzi.",
    },
    "agency": {
        "en": "Agencies that choose gifts for their own clients and order at least four times a year.",
        "fr": "Les agences qui choisissent des cadeaux pour leurs propres clients et commandent au moins quatre fois par an.",
        "pl": "Agencje, które wybierają prezenty dla własnych klientów i zamawiają co najmniej cztery razy w roku.",
    },
    "influencer": {
        "en": "Creators of any size who show things they use themselves. We look at what you make, not at how many follow you.",
        "fr": "Les créateurs de toute taille qui montrent ce qu’ils utilisent eux-mêmes. Nous regardons ce que vous faites, pas combien "
        "vous suivent.",
        "pl": "Twórcy każdej wielkości, którzy pokazują to, czego sami używają. Patrzymy na to, co robisz, a nie na liczbę obserwujących.",
    },
    "distributor": {
        "en": "Wholesalers with a warehouse and sales people of their own. We work with one distributor in each country.",
        "fr": "Les grossistes qui ont leur entrepôt et leurs vendeurs. Nous travaillons avec un seul distributeur par pays.",
        "pl": "Hurtownie z własnym magazynem i własnymi sprzedawcami. W każdym kraju współpracujemy z jednym dystrybutorem.",
    },
}
OWN_QUESTION: dict[str, dict[str, tuple[str, str]]] = {
    "affiliate": {
        "en": ("May I advertise on search engines?", "Yes, but not on our name or anything spelled like it."),
        "fr": (
            "Puis-je faire de la publicité sur les moteurs de recherche ?",
            "Oui, mais pas sur notre nom ni sur ce qui s’écrit presque pareil.",
        ),
        "pl": (
            "Czy mogę reklamować się w wyszukiwarkach?",
            "Tak, ale nie na naszą nazwę ani na nic, co się podobnie pisze.",
        ),
    },
    "referral": {
        "en": ("Do I have to sell?", "No. You introduce us; we talk to the shop."),
        "fr": ("Dois-je vendre ?", "Non. Vous nous présentez ; c’est nous qui parlons à la boutique."),
        "pl": ("Czy muszę sprzedawać?", "Nie. Ty nas przedstawiasz, a ze sklepem rozmawiamy my."),
    },
    "agency": {
        "en": (
            "Can goods carry our client’s name?",
            "Yes, from 50 pieces on. Your account manager shows you how.",
        ),
        "fr": (
            "Les articles peuvent-ils porter le nom de notre client ?",
            "Oui, à partir de 50 pièces. Votre chargé de compte vous montre comment.",
        ),
        "pl": (
            "Czy na towarze może być nazwa naszego klienta?",
            "Tak, od 50 sztuk. Opiekun pokaże, jak to zrobić.",
        ),
    },
    "influencer": {
        "en": ("Do you send samples?", "Yes, to everybody who was approved, once each season."),
        "fr": (
            "Envoyez-vous des échantillons ?",
            "Oui, à toutes les personnes acceptées, une fois par saison.",
        ),
        "pl": ("Czy wysyłacie próbki?", "Tak, wszystkim przyjętym, raz w sezonie."),
    },
    "distributor": {
        "en": (
            "Is my country still free?",
            "Name it in the form: we answer before you fill in anything else.",
        ),
        "fr": (
            "Mon pays est-il encore libre ?",
            "Nommez-le dans le formulaire : nous vous répondons avant toute autre chose.",
        ),
        "pl": ("Czy mój kraj jest jeszcze wolny?", "Podaj go w formularzu: od tego zaczniemy odpowiedź."),
    },
}
COMMON: dict[str, Questions] = {
    "en": (
        ("Does it cost anything?", "No. You pay nothing to join and nothing to leave."),
        ("Can colleagues of mine work with me?", "Yes. You invite them into your team, each with a role."),
    ),
    "fr": (
        ("Est-ce que cela coûte quelque chose ?", "Non. Vous ne payez rien pour entrer, ni pour partir."),
        (
            "Mes collègues peuvent-ils travailler avec moi ?",
            "Oui. Vous les invitez dans votre équipe, chacun avec un rôle.",
        ),
    ),
    "pl": (
        ("Czy to coś kosztuje?", "Nie. Nie płacisz nic za wejście ani za wyjście."),
        (
            "Czy moi współpracownicy mogą pracować ze mną?",
            "Tak. Zapraszasz ich do zespołu, każdą osobę z jej rolą.",
        ),
    ),
}


def write(program: Program, *, at: datetime) -> None:
    """Write the page of a program in every language."""
    kind = program.partnership_type
    for language, common in COMMON.items():
        program_texts.write(
            program,
            language,
            texts={"headline": HEADLINES[kind][language], "who_can_join": WHO_CAN_JOIN[kind][language]},
            faq=(OWN_QUESTION[kind][language], *common),
            by=ADMINISTRATOR.user(),
            at=at,
        )
