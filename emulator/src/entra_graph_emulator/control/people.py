"""Made-up internal users from a seed."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from entra_graph_emulator.wire.words import words

_GIVEN: Final = words(
    "Ada Ben Chloe Dmitri Elena Farid Grace Hiro Ines Jonas Keiko Liam Maya Noah Olga Pavel Quinn Rosa Sven Tara "
    "Umar Vera Wei Ximena Yusuf Zoe Amina Bruno Carla Dario Emma Felix"
)
_FAMILY: Final = words(
    "Abbott Becker Castro Dubois Eriksen Fischer Garcia Haddad Ivanova Jensen Kowalski Larsen Moreau Nakamura Okafor "
    "Petrov Quintero Rossi Schmidt Tanaka Ueda Varga Weber Xu Yilmaz Zhang O'Neil Brown Costa Diaz Evans Fontaine"
)
_WORK: Final = {
    "Engineering": ("Software Engineer", "Senior Engineer", "Engineering Manager"),
    "Sales": ("Account Executive", "Sales Manager", "Solution Consultant"),
    "Finance": ("Analyst", "Controller", "Accountant"),
    "Marketing": ("Copywriter", "Campaign Manager", "Designer"),
    "Human Resources": ("Recruiter", "HR Partner", "Payroll Specialist"),
    "Legal": ("Counsel", "Paralegal", "Compliance Officer"),
}
_PLACES: Final = (
    ("Berlin", "Berlin", "Germany", "DE", "de-DE", "+49 30", "10115"),
    ("Seattle", "WA", "United States", "US", "en-US", "+1 206", "98101"),
    ("Lyon", "Auvergne-Rhône-Alpes", "France", "FR", "fr-FR", "+33 4", "69001"),
    ("Osaka", "Osaka", "Japan", "JP", "ja-JP", "+81 6", "530-0001"),
    ("São Paulo", "SP", "Brazil", "BR", "pt-BR", "+55 11", "01000-000"),
)


def people(*, count: int, domain: str, company: str, rng: Random, first: int = 0) -> Iterator[dict[str, Any]]:
    """Properties of `count` users, as a directory stores them.

    Numbering begins at `first`, so that names differ from those of earlier users.
    """
    for number in range(first, first + count):
        given, family = rng.choice(_GIVEN), rng.choice(_FAMILY)
        department = rng.choice(tuple(_WORK))
        city, state, country, code, language, prefix, postcode = rng.choice(_PLACES)
        local = f"{given}.{family}.{number}".replace("'", "").lower()
        yield {
            "accountEnabled": rng.random() > 0.02,
            "businessPhones": [f"{prefix} {rng.randrange(1_000_000, 10_000_000)}"],
            "city": city,
            "companyName": company[:64],
            "country": country,
            "department": department,
            "displayName": f"{given} {family}",
            "employeeId": f"E{number:06d}",
            "employeeType": rng.choice(("Employee", "Employee", "Employee", "Contractor")),
            "givenName": given,
            "jobTitle": rng.choice(_WORK[department]),
            "mail": f"{local}@{domain}",
            "mailNickname": local[:64],
            "officeLocation": f"{rng.randrange(1, 30)}/{rng.randrange(1000, 3000)}",
            "postalCode": postcode,
            "preferredLanguage": language,
            "state": state,
            "streetAddress": f"{rng.randrange(1, 400)} Main Street",
            "surname": family,
            "usageLocation": code,
            "userPrincipalName": f"{local}@{domain}",
        }
